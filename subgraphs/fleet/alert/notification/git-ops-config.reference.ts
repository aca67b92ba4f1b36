import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** governance's GitOpsConfig, by its key. */
@ObjectType('GitOpsConfig')
@Directive('@key(fields: "id", resolvable: false)')
export class GitOpsConfigReference {
  @Field(() => ID, { description: 'Starts with `git_`.' })
  id!: string;
}
