import { Field, ID, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: 'Which override of a rule an alert was judged by, as it was then.' })
export class AlertOverride {
  @Field(() => ID, { description: 'The group that it is for; it may have been removed since.' })
  groupId!: string;

  @Field(() => String, { description: "The group's name." })
  groupName!: string;

  @Field(() => Int, { description: 'Its priority among the overrides of the rule.' })
  priority!: number;
}
