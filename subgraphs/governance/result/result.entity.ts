import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { ArgsType, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { PageArgs, pageOf } from '#platform/subgraph/paging.js';
import { DateTime, Json } from '#platform/subgraph/scalars.js';

export enum PolicyStatus {
  PASS = 'PASS',
  FAIL = 'FAIL',
  UNKNOWN = 'UNKNOWN',
  EXEMPT = 'EXEMPT',
}

registerEnumType(PolicyStatus, {
  name: 'PolicyStatus',
  description: 'Whether a policy holds on an instance.',
  valuesConfig: {
    PASS: { description: 'It holds.' },
    FAIL: { description: 'It does not.' },
    UNKNOWN: {
      description:
        'What it is about was not reported, or not so that it can be compared, or the instance has been silent for a day.',
    },
    EXEMPT: { description: 'It need not hold there.' },
  },
});

@ObjectType({ description: 'The comparison that decided.' })
export class PolicyEvidence {
  @Field(() => String, { description: 'The path of the fact.' })
  condition!: string;

  @Field(() => String, { description: 'How it was compared.' })
  operator!: string;

  @Field(() => Json, { nullable: true, description: 'With what.' })
  expected!: unknown;

  @Field(() => Json, { nullable: true, description: 'What is known of the instance; null when nothing is.' })
  actual!: unknown;
}

@Entity({ tableName: 'result' })
@ObjectType({ description: 'Whether one policy holds on one instance.' })
export class PolicyResult {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'The instance.' })
  @PrimaryKey({ type: 'text' })
  instanceId!: string;

  @Field(() => ID, { description: 'The policy.' })
  @PrimaryKey({ type: 'text' })
  policyId!: string;

  @Field(() => PolicyStatus, { description: 'Whether it holds.' })
  @Property({ type: 'text' })
  status!: PolicyStatus;

  @Field(() => PolicyEvidence, { nullable: true, description: 'Why not; null where it holds or need not.' })
  @Property({ type: 'json', nullable: true })
  evidence!: PolicyEvidence | null;

  @Field(() => DateTime, { description: 'Since when it is so.' })
  @Property({ type: 'datetime' })
  since!: Date;
}

@ObjectType({ description: 'One page of results.' })
export class PolicyResultPage extends pageOf(PolicyResult, 'PolicyResult') {}

@ArgsType()
export class PolicyResultsArgs extends PageArgs {
  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => PolicyStatus, { nullable: true, description: 'Only those in this status.' })
  status?: PolicyStatus | null;
}

@ObjectType({ description: 'On how many instances a policy holds, or clusters where it is about those.' })
export class PolicyCounts {
  @Field(() => Int, { description: 'On which it holds.' })
  passing!: number;

  @Field(() => Int, { description: 'On which it does not.' })
  failing!: number;

  @Field(() => Int, { description: 'Of which it is not known.' })
  unknown!: number;

  @Field(() => Int, { description: 'On which it need not hold.' })
  exempt!: number;
}
