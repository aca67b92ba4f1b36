import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime, Json, JsonObject } from '#platform/subgraph/scalars.js';

import { OrderedCommand } from '../order/order.js';
import type { Rule } from '../rule/rule.js';
import type { Scope } from './scope.js';

export enum PolicySeverity {
  LOW = 'LOW',
  MEDIUM = 'MEDIUM',
  HIGH = 'HIGH',
  CRITICAL = 'CRITICAL',
}

registerEnumType(PolicySeverity, {
  name: 'PolicySeverity',
  description: 'How much a policy counts in scores.',
  valuesConfig: {
    LOW: { description: 'Its weight is 2.5.' },
    MEDIUM: { description: 'Its weight is 5.' },
    HIGH: { description: 'Its weight is 7.5.' },
    CRITICAL: { description: 'Its weight is 10.' },
  },
});

export enum PolicyEnforcement {
  MANDATORY = 'MANDATORY',
  ADVISORY = 'ADVISORY',
  DISABLED = 'DISABLED',
}

registerEnumType(PolicyEnforcement, {
  name: 'PolicyEnforcement',
  description: 'What follows from a policy that does not hold.',
  valuesConfig: {
    MANDATORY: {
      description:
        'It counts in scores, raises an alert of each instance on which it does not hold, and refuses what would break it. ' +
        'Of clusters there are no alerts: they show in scores and in `policyResults`.',
    },
    ADVISORY: { description: 'It counts in scores.' },
    DISABLED: { description: 'Nothing: it is not looked at.' },
  },
});

export const ruleDescription =
  'The rule. `operator` is one of `equals`, `not_equals`, `in`, `not_in`, `gt`, `gte`, `lt`, `lte`, `matches` (RE2 syntax, ' +
  'anywhere in the text), `contains`, `exists`, `semver` (a range of npm), `older_than`, `newer_than`, `expires_after` ' +
  '(a duration: `90s`, `30m`, `24h`, `7d`, `2w`), which compare the fact at `condition` with `value`; or one of `all`, ' +
  '`any`, `none`, whose `value` is a list of rules of the same form. At most 10 levels and 100 comparisons. ' +
  'A pattern has at most 500 characters and comes to 2000 instructions at most, and all of a rule to about 5000: counted ' +
  'repetitions are written out. All patterns of the policies in force come to about 10000 at most, each to 50 at least. ' +
  'See `factKinds`.';

export const scopeDescription =
  'Whom it is for: `"all_instances"`, or an object with one of `instance_ids` (at most 1000), `tags` (all of them, at ' +
  'most 20) and `group_ids` (any of these `instanceGroups`, at most 20; a group that was removed has nobody in it)';

@ObjectType({ description: 'What has to hold.' })
export class PolicyRule {
  @Field(() => String, {
    nullable: true,
    description: 'The path of a fact, as `backup.encryption`; null where `operator` combines rules.',
  })
  condition!: string | null;

  @Field(() => String, { description: 'How it is compared, or `all`, `any`, `none`.' })
  operator!: string;

  @Field(() => Json, {
    nullable: true,
    description: 'What it is compared with, or the rules that are combined.',
  })
  value!: unknown;
}

@ObjectType({ description: 'The command that brings an instance in line with a policy.' })
export class PolicyRemedy {
  @Field(() => OrderedCommand, { description: 'What the instance is told.' })
  command!: OrderedCommand;

  @Field(() => JsonObject, {
    description:
      'What the command takes; see `commandKinds`. Of APPLY_POLICY nothing: it takes the policy itself.',
  })
  params!: Record<string, unknown>;

  @Field(() => Boolean, {
    description:
      'Whether it is sent by itself where the policy does not hold: to one instance once an hour, and to at most 60 an hour. ' +
      'Otherwise `remediatePolicy` sends it.',
  })
  isAutomatic!: boolean;
}

@Entity({ tableName: 'policy' })
@ObjectType({ description: 'Something that has to hold on instances.' })
@Directive('@key(fields: "id")')
export class Policy {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `pol_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'Its name, unique in the tenant without case.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'A word of whoever wrote it, to sort by: `backup`, `network`, ...' })
  @Property({ type: 'text' })
  type!: string;

  @Field(() => String, { nullable: true, description: 'What it is for.' })
  @Property({ type: 'text', nullable: true })
  description!: string | null;

  @Field(() => String, { nullable: true, description: 'What to do where it does not hold.' })
  @Property({ type: 'text', nullable: true })
  resolution!: string | null;

  @Property({ type: 'json' })
  rule!: Rule;

  @Field(() => PolicyEnforcement, { description: 'What follows where it does not hold.' })
  @Property({ type: 'text' })
  enforcement!: PolicyEnforcement;

  @Field(() => PolicySeverity, { description: 'How much it counts.' })
  @Property({ type: 'text' })
  severity!: PolicySeverity;

  @Field(() => Json, { description: `${scopeDescription}.` })
  @Property({ type: 'json' })
  appliesTo!: Scope;

  @Field(() => PolicyRemedy, { nullable: true, description: 'What mends it; null where nothing is told.' })
  @Property({ type: 'json', nullable: true })
  remediation!: PolicyRemedy | null;

  /** When it is next looked for what is to be mended by itself; null when nothing is. */
  @Property({ type: 'datetime', nullable: true })
  remediateAt!: Date | null;

  @Field(() => Int, { description: 'Goes up with each change; see `policyHistory`.' })
  @Property({ type: 'integer' })
  version!: number;

  @Field(() => String, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'text' })
  updatedBy!: string;

  @Field(() => DateTime, { description: 'When it was last changed.' })
  @Property({ type: 'datetime' })
  updatedAt!: Date;
}

@ObjectType({ description: 'One page of policies.' })
export class PolicyPage extends pageOf(Policy, 'Policy') {}
