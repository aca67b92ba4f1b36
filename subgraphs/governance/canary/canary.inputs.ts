import { ArgsType, Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { idempotencyKeyText } from '#platform/idempotency/idempotency-keys.js';
import { PageArgs } from '#platform/subgraph/paging.js';
import { DateTime, Json, JsonObject } from '#platform/subgraph/scalars.js';

import { OrderedCommand, orderRules } from '../order/order.js';
import { scopeDescription } from '../policy/policy.entity.js';
import { maybe } from '../policy/policy.inputs.js';
import { checkScope, type Scope } from '../policy/scope.js';
import { CanaryAction, CanaryMemberStatus, CanaryStatus } from './canary.status.js';

@InputType({ description: 'A share of the instances, and how long it is watched.' })
export class CanaryStepInput {
  @Field(() => Int, {
    description: 'How many of a hundred have the command at its end, 1 to 100; more than in the step before.',
  })
  percent!: number;

  @Field(() => Int, { description: 'Seconds that they are watched, 0 to 604800.' })
  bakeSeconds!: number;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'When they were watched and all is well it is PAUSED (AWAITING_APPROVAL) until somebody resumes, promotes or ' +
      'aborts it; false unless told.',
  })
  waits?: boolean | null;
}

@InputType({ description: 'Which canaries are listed.' })
export class CanaryFilter {
  @Field(() => [CanaryStatus], { nullable: true, description: 'Only those in one of these statuses.' })
  status?: CanaryStatus[] | null;
}

@ArgsType()
export class CanariesArgs extends PageArgs {
  @Field(() => CanaryFilter, { nullable: true, description: 'Which of them; all unless told.' })
  filter?: CanaryFilter | null;
}

@InputType({ description: 'When those that have the command are worse off.' })
export class CanaryAnalysisInput {
  @Field(() => Int, {
    nullable: true,
    description: 'Comparisons in one step that may fail before it is aborted, 0 to 100; 0 unless told.',
  })
  failureLimit?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds between comparisons, 5 to 3600; 60 unless told.',
  })
  intervalSeconds?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Points by which the mean of processor or memory may rise beyond what it rises among the others meanwhile, 1 to ' +
      '100; 20 unless told. Each is compared with what it had itself before its step, by one reading then and one now.',
  })
  maxRisePercent?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Points by which the mean score may fall beyond what it falls among the others, 0 to 100; 5 unless told.',
  })
  maxScoreDrop?: number | null;
}

@InputType({ description: 'The command that takes it back.' })
export class CanaryRollbackInput {
  @Field(() => OrderedCommand, { description: 'What instances are told.' })
  command!: OrderedCommand;

  @Field(() => JsonObject, { nullable: true, description: 'What the command takes.' })
  params?: Record<string, unknown> | null;
}

@InputType({ description: 'A command that is to come to instances step by step.' })
export class CreateCanaryInput {
  @Field(() => String, { description: '1 to 200 characters.' })
  name!: string;

  @Field(() => OrderedCommand, { description: 'What instances are told.' })
  command!: OrderedCommand;

  @Field(() => JsonObject, { nullable: true, description: 'What the command takes; see `commandKinds`.' })
  params?: Record<string, unknown> | null;

  @Field(() => [CanaryStepInput], { description: '1 to 20 steps. After the last one the rest follows.' })
  steps!: CanaryStepInput[];

  @Field(() => Json, {
    nullable: true,
    description: `${scopeDescription}; \`"all_instances"\` unless told. At most 10000 instances.`,
  })
  appliesTo?: unknown;

  @Field(() => CanaryRollbackInput, {
    nullable: true,
    description:
      'How it is taken back; an update by an update to what ran before, anything else not at all unless told.',
  })
  rollback?: CanaryRollbackInput | null;

  @Field(() => CanaryAnalysisInput, { nullable: true, description: 'When those that have it are worse off.' })
  analysis?: CanaryAnalysisInput | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Instances on which the command may fail before it is aborted, 0 to 10000; 0 unless told.',
  })
  maxFailures?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Seconds within which the command of a step has to end, 120 to 172800; 3600 unless told. Half of it is for taking it up, half for doing it. It is aborted else.',
  })
  progressDeadlineSeconds?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Begins outside of maintenance windows too; false unless told.',
  })
  ignoresWindows?: boolean | null;

  @Field(() => DateTime, { nullable: true, description: 'When it begins; at once unless told.' })
  startAt?: Date | null;

  @Field(() => String, {
    nullable: true,
    description: idempotencyKeyText,
  })
  idempotencyKey?: string | null;
}

@InputType({
  description:
    'What is to become of a canary: an action, or another name or other steps while it is PENDING.',
})
export class UpdateCanaryInput {
  @Field(() => CanaryAction, { nullable: true, description: 'What to do with it; goes alone.' })
  action?: CanaryAction | null;

  @Field(() => String, { nullable: true, description: '1 to 200 characters.' })
  name?: string | null;

  @Field(() => [CanaryStepInput], { nullable: true, description: '1 to 20 steps.' })
  steps?: CanaryStepInput[] | null;
}

const whole = (what: string, low: number, high: number) => {
  const sentence = `${what} must be a whole number from ${low} to ${high}`;
  return z.number(sentence).int(sentence).min(low, sentence).max(high, sentence);
};

const name = z.string().trim().min(1, 'Name is required').max(200, 'Name must have at most 200 characters');

const steps = z
  .array(
    z.object({
      percent: whole('Percent', 1, 100),
      bakeSeconds: whole('Bake seconds', 0, 604_800),
      waits: z.boolean().nullish(),
    }),
  )
  .min(1, 'Name at least one step')
  .max(20, 'At most 20 steps')
  .superRefine((all, context) => {
    for (const [at, { percent }] of all.entries())
      if (at > 0 && percent <= all[at - 1]!.percent)
        context.addIssue({
          code: 'custom',
          path: [at, 'percent'],
          message: 'Percent must be above that of the step before',
        });
  });

export const createCanaryRules = z
  .object({
    name,
    steps,
    appliesTo: maybe<Scope>(checkScope, 'scope'),
    rollback: orderRules.nullish(),
    analysis: z
      .object({
        failureLimit: whole('Failure limit', 0, 100).nullish(),
        intervalSeconds: whole('Interval seconds', 5, 3_600).nullish(),
        maxRisePercent: whole('Max rise percent', 1, 100).nullish(),
        maxScoreDrop: whole('Max score drop', 0, 100).nullish(),
      })
      .nullish(),
    maxFailures: whole('Max failures', 0, 10_000).nullish(),
    progressDeadlineSeconds: whole('Progress deadline seconds', 120, 172_800).nullish(),
    ignoresWindows: z.boolean().nullish(),
    startAt: z.date().nullish(),
  })
  .and(orderRules);

export const updateCanaryRules = z
  .object({ action: z.enum(CanaryAction).nullish(), name: name.nullish(), steps: steps.nullish() })
  .superRefine(({ action, name: renamed, steps: others }, context) => {
    if (action && (renamed || others))
      context.addIssue({ code: 'custom', path: ['action'], message: 'An action goes alone' });
  });

@ArgsType()
export class CanaryMembersArgs {
  @Field(() => Int, { nullable: true, description: 'How many, 1 to 1000; 100 unless told.' })
  first?: number | null;

  @Field(() => Int, { nullable: true, description: 'Those after this position.' })
  after?: number | null;

  @Field(() => CanaryMemberStatus, { nullable: true, description: 'Only those in this status.' })
  status?: CanaryMemberStatus | null;

  @Field(() => [ID], { nullable: true, description: 'Only these instances, at most 1000.' })
  instanceIds?: string[] | null;
}

@ArgsType()
export class CanaryMemberPageArgs extends PageArgs {
  @Field(() => CanaryMemberStatus, { nullable: true, description: 'Only those in this status.' })
  status?: CanaryMemberStatus | null;

  @Field(() => [ID], { nullable: true, description: 'Only these instances, at most 1000.' })
  instanceIds?: string[] | null;
}
