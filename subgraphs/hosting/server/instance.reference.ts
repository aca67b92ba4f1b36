import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** fleet's Instance, by its key, with what hosting adds to it. */
@ObjectType('Instance')
@Directive('@key(fields: "id")')
export class InstanceReference {
  @Field(() => ID, { description: 'Starts with `inst_`.' })
  id!: string;
}
