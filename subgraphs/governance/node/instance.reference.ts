import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** fleet's Instance, by its key, with what governance adds to it. */
@ObjectType('Instance')
@Directive('@key(fields: "id")')
export class InstanceReference {
  @Field(() => ID, { description: 'Starts with `inst_`.' })
  id!: string;
}

/** Of a field that would take the whole answer with it. */
export const blanks =
  'Use `presentInstance`: this one leaves no answer once the instance has left the fleet.';

export const presentInstance =
  'The instance; null when it has left the fleet, and, with an error, without the right to see instances.';
