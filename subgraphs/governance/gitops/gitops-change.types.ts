import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';

import { Json } from '#platform/subgraph/scalars.js';

export enum GitOpsAction {
  CREATE = 'CREATE',
  UPDATE = 'UPDATE',
  DELETE = 'DELETE',
}

registerEnumType(GitOpsAction, {
  name: 'GitOpsAction',
  description: 'What has to be done for a thing to be as it is declared.',
  valuesConfig: {
    CREATE: { description: 'It is not there.' },
    UPDATE: { description: 'It is different.' },
    DELETE: { description: 'It came from the repository, which declares it no more.' },
  },
});

@ObjectType({ description: 'Something that is wrong, and where.' })
export class GitOpsProblem {
  @Field(() => String, { nullable: true, description: 'The file, from the root of the repository.' })
  file!: string | null;

  @Field(() => Int, { nullable: true, description: 'The line, from 1.' })
  line!: number | null;

  @Field(() => String, { description: 'What, in a sentence.' })
  message!: string;
}

@ObjectType({ description: 'One thing of a spec that is different.' })
export class GitOpsDifference {
  @Field(() => String, { description: 'The field.' })
  field!: string;

  @Field(() => Json, { nullable: true, description: 'What it is.' })
  actual!: unknown;

  @Field(() => Json, { nullable: true, description: 'What is declared.' })
  declared!: unknown;
}

@ObjectType({ description: 'What stands between what there is and what is declared.' })
export class GitOpsChange {
  @Field(() => GitOpsAction, { description: 'What has to be done.' })
  action!: GitOpsAction;

  @Field(() => String, {
    description: '`Policy`, `InstanceGroup`, `AlertRule`, `AlertRuleOverrides` or `DesiredVersion`.',
  })
  kind!: string;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'The file that declares it; null for DELETE.' })
  file!: string | null;

  @Field(() => Int, { nullable: true, description: 'The line at which it begins there.' })
  line!: number | null;

  @Field(() => [GitOpsDifference], { description: 'What is different; empty for CREATE and DELETE.' })
  differences!: GitOpsDifference[];

  @Field(() => String, { nullable: true, description: 'Why it is not done by itself; null where it is.' })
  heldBack!: string | null;

  /** Whether it only waits for a canary to end, and is done then. */
  isWaiting?: boolean;
}
