import { Field, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'A user of a provider whom a grant, or a request for one, names.' })
export class DelegationUser {
  @Field(() => ID, { description: 'Starts with `usr_`.' })
  id!: string;

  @Field(() => String, { description: 'Their sign-in name.' })
  email!: string;

  @Field(() => String, { description: 'The name shown to others.' })
  name!: string;
}
