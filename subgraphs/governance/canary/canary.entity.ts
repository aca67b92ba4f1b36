import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime, Json, JsonObject } from '#platform/subgraph/scalars.js';

import { OrderedCommand, type CommandOrder } from '../order/order.js';
import type { Scope } from '../policy/scope.js';
import type { Limits } from './analysis.js';
import { CanaryStatus, type MemberCounts } from './canary.status.js';

export enum AnalysisVerdict {
  PASS = 'PASS',
  FAIL = 'FAIL',
  INCONCLUSIVE = 'INCONCLUSIVE',
  SKIPPED = 'SKIPPED',
}

registerEnumType(AnalysisVerdict, {
  name: 'AnalysisVerdict',
  description: 'What a comparison says.',
  valuesConfig: {
    PASS: { description: 'All is well.' },
    FAIL: { description: 'Those that have the command are worse off.' },
    INCONCLUSIVE: {
      description: 'It cannot be told: they have not beaten since, or the others are as badly off.',
    },
    SKIPPED: { description: 'There was nothing to compare.' },
  },
});

@ObjectType({ description: 'A share of the instances, and how long it is watched.' })
export class CanaryStep {
  @Field(() => Int, {
    description: 'How many of a hundred have the command at its end, those of earlier steps included.',
  })
  percent!: number;

  @Field(() => Int, { description: 'Seconds that they are watched before the next step.' })
  bakeSeconds!: number;

  /** Of those that were made before there was such a thing it is left out. */
  waits?: boolean | null;
}

@ObjectType({ description: 'One thing that was compared.' })
export class CanaryCheck {
  @Field(() => String, {
    description:
      '`health` and `alerts`: the share in percent that is worse than before, or has an alert that began since. `cpu` and ' +
      '`memory`: points by which they have risen in the mean since the step began. `score`: points by which scores have ' +
      'fallen in the mean.',
  })
  name!: string;

  @Field(() => AnalysisVerdict, { description: 'What it says.' })
  verdict!: AnalysisVerdict;

  @Field(() => Float, {
    nullable: true,
    description: 'Of those that have the command; null when nothing is known.',
  })
  measured!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'The same over the same time of those that have not. Null when none is left or nothing is known.',
  })
  reference!: number | null;

  @Field(() => String, { description: 'The same for people.' })
  message!: string;
}

@ObjectType({ description: 'How those that have the command compare with those that have not.' })
export class CanaryAnalysis {
  @Field(() => Int, { description: 'The step that it is about.' })
  step!: number;

  @Field(() => AnalysisVerdict, { description: 'FAIL when one check fails; else INCONCLUSIVE when one is.' })
  verdict!: AnalysisVerdict;

  @Field(() => DateTime, { description: 'When it was measured.' })
  measuredAt!: Date | string;

  @Field(() => [CanaryCheck], { description: 'What was compared.' })
  checks!: CanaryCheck[];
}

@ObjectType({ description: 'How many instances a canary is for, and how they are.' })
export class CanaryInstances {
  @Field(() => Int, { description: 'All that it is for.' })
  target!: number;

  @Field(() => Int, { description: 'That are at the command.' })
  underWay!: number;

  @Field(() => Int, { description: 'That have it now.' })
  updated!: number;

  @Field(() => Int, { description: 'On which it failed, those that were taken back later included.' })
  failed!: number;

  @Field(() => Int, {
    description: 'That could not be reached, were refused by a policy, or left the fleet.',
  })
  unreached!: number;

  @Field(() => Int, { description: 'On which it was taken back.' })
  rolledBack!: number;
}

@ObjectType({
  description: 'When a canary is taken back, as told when it was made, with what was left out filled in.',
})
export class CanarySettings implements Limits {
  @Field(() => Int, { description: 'Comparisons in one step that may fail before it is aborted.' })
  failureLimit!: number;

  @Field(() => Int, { description: 'Instances on which the command may fail before it is aborted.' })
  maxFailures!: number;

  @Field(() => Int, { description: 'Seconds between comparisons.' })
  intervalSeconds!: number;

  @Field(() => Int, {
    description:
      'Points by which the mean of processor or memory may rise beyond what it rises among the others.',
  })
  maxRisePercent!: number;

  @Field(() => Int, {
    description: 'Points by which the mean score may fall beyond what it falls among the others.',
  })
  maxScoreDrop!: number;

  @Field(() => Int, { description: 'Seconds within which the command of a step has to end.' })
  progressDeadlineSeconds!: number;

  @Field(() => Boolean, { description: 'Whether it begins outside of maintenance windows too.' })
  ignoresWindows!: boolean;
}

@ObjectType({ description: 'The command that takes a canary back.' })
export class CanaryRollback implements CommandOrder {
  @Field(() => OrderedCommand, { description: 'What instances are told.' })
  command!: OrderedCommand;

  @Field(() => JsonObject, { description: 'What the command takes.' })
  params!: Record<string, unknown>;
}

@Entity({ tableName: 'canary' })
@ObjectType({
  description: 'A command that comes to instances step by step, and is taken back when it does harm.',
})
@Directive('@key(fields: "id")')
export class Canary {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `can_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'Its name.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => OrderedCommand, { description: 'What instances are told.' })
  @Property({ type: 'text' })
  command!: OrderedCommand;

  @Field(() => JsonObject, { description: 'What the command takes; see `commandKinds`.' })
  @Property({ type: 'json' })
  params!: Record<string, unknown>;

  @Field(() => CanaryRollback, {
    nullable: true,
    description:
      'The command that takes it back; null unless told: then an update is taken back by an update to what ran before, ' +
      'anything else not at all.',
  })
  @Property({ type: 'json', nullable: true })
  rollback!: CanaryRollback | null;

  @Field(() => [CanaryStep], { description: 'Its steps; after the last one the rest follows.' })
  @Property({ type: 'json' })
  steps!: CanaryStep[];

  @Field(() => Json, {
    description: 'Whom it is for, as `appliesTo` of a policy. Who that is was settled when it was made.',
  })
  @Property({ type: 'json' })
  appliesTo!: Scope;

  @Field(() => CanarySettings, { description: 'When it is taken back.' })
  @Property({ type: 'json' })
  settings!: CanarySettings;

  @Field(() => CanaryStatus, { description: 'How it is.' })
  @Property({ type: 'text' })
  status!: CanaryStatus;

  @Property({ type: 'text', nullable: true })
  pausedFrom!: CanaryStatus | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it is paused, aborting or at its end: `PAUSED_BY_USER`, `AWAITING_APPROVAL` (its step passed, and `waits`: ' +
      'resuming goes on), `ABORTED_BY_USER`, `COMMANDS_FAILED`, `ANALYSIS_FAILED`, ' +
      '`INCONCLUSIVE`, `DEADLINE_EXCEEDED`, `POLICY_VIOLATION`, `REFUSED`, `UNCERTAIN`, `NO_WAY_BACK`, ' +
      '`ROLLBACK_INCOMPLETE`; else null.',
  })
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Field(() => String, { nullable: true, description: 'The same for people; null where `reason` is.' })
  @Property({ type: 'text', nullable: true })
  message!: string | null;

  @Field(() => Int, { description: 'The step that it is at, from 1; 0 before it begins.' })
  @Property({ type: 'integer' })
  currentStep!: number;

  @Property({ type: 'integer' })
  target!: number;

  /** By status of member; changed only with the row locked. */
  @Property({ type: 'json' })
  counts!: MemberCounts & { everFailed?: number };

  @Field(() => CanaryAnalysis, { nullable: true, description: 'The last comparison; null before the first.' })
  @Property({ type: 'json', nullable: true })
  analysis!: CanaryAnalysis | null;

  /** In the current step. */
  @Property({ type: 'integer' })
  failedAnalyses!: number;

  @Property({ type: 'integer' })
  revision!: number;

  @Field(() => DateTime, { description: 'Not before this it begins.' })
  @Property({ type: 'datetime' })
  startAt!: Date;

  /** When its status was last another. */
  @Property({ type: 'datetime' })
  phaseAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Of one that is baking: until when. Null otherwise.',
  })
  @Property({ type: 'datetime', nullable: true })
  bakeUntil!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  dueAt!: Date | null;

  /** Since when it stands still, as its tenant is suspended. */
  @Property({ type: 'datetime', nullable: true })
  haltedAt!: Date | null;

  @Field(() => String, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  /** The request that had it begin or go on last; null of one that was made before it was kept. */
  @Property({ type: 'text', nullable: true })
  causedBy!: string | null;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When something of it last changed.' })
  @Property({ type: 'datetime' })
  updatedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it came to its end; null before.' })
  @Property({ type: 'datetime', nullable: true })
  finishedAt!: Date | null;
}

@ObjectType({ description: 'One page of canaries.' })
export class CanaryPage extends pageOf(Canary, 'Canary') {}
