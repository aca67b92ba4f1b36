import { Field, ID, Int, ObjectType } from 'type-graphql';

@ObjectType('Package', { description: 'A plan that a tenant may have, and what it lets the tenant use.' })
export class Package {
  @Field(() => ID, { description: "The plan's name in lower case, as in `pro`." })
  id!: string;

  @Field(() => String, { description: 'For people to read.' })
  name!: string;

  @Field(() => [String], {
    description: 'What may be used besides, as in `governance`. The order means nothing.',
  })
  features!: readonly string[];

  @Field(() => Int, { nullable: true, description: 'The most instances; null for as many as there are.' })
  instanceLimit!: number | null;

  @Field(() => Int, { nullable: true, description: 'The most users; null for as many as there are.' })
  userLimit!: number | null;

  @Field(() => Int, { nullable: true, description: 'The most storage, in GB; null for as much as there is.' })
  storageGbLimit!: number | null;
}
