import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** identity's User, by its key. */
@ObjectType('User')
@Directive('@key(fields: "id", resolvable: false)')
export class UserReference {
  @Field(() => ID, { description: 'Starts with `usr_`.' })
  id!: string;
}
