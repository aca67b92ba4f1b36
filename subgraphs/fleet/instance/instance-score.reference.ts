import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** governance's InstanceScore, by its key: fleet adds the name. */
@ObjectType('InstanceScore')
@Directive('@key(fields: "instanceId")')
export class InstanceScoreReference {
  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;
}
