import { ArgsType, Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { z } from 'zod';

import { idempotencyKeyText } from '#platform/idempotency/idempotency-keys.js';
import { DateTime, JsonObject } from '#platform/subgraph/scalars.js';

import { unknownFieldsDescription } from '../reported/input-warning.js';
import { Measurement, ReportedText } from '../reported/reported.scalars.js';
import { CommandKind, paramsFaults } from './command.kinds.js';
import { CommandStatus, InvocationStatus } from './command.status.js';

@InputType({ description: 'A command and who it is for.' })
export class SendCommandInput {
  @Field(() => [ID], {
    nullable: true,
    description:
      'The instances, at most 1000; one that is named twice gets it once. More go by groups or tags.',
  })
  instanceIds?: string[] | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Groups, at most 100: whoever is in one of them when the command is sent gets it too.',
  })
  groupIds?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Tags, at most 20: whoever has all of them when the command is sent gets it too.',
  })
  tags?: string[] | null;

  @Field(() => CommandKind, { description: 'What is to be done.' })
  command!: CommandKind;

  @Field(() => JsonObject, {
    nullable: true,
    description: 'What the kind of command takes; see `commandKinds`.',
  })
  params?: Record<string, unknown> | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many instances may be at it at the same time, 1 to 10000; 50 unless told.',
  })
  maxConcurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many instances may fail before no other begins, 0 to 10000; 0 unless told.',
  })
  maxErrors?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Seconds within which an instance has to take it up, from `startAt` on if that is told; 30 to 172800, 3600 unless told.',
  })
  deliveryTimeoutSeconds?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds that an instance may take from beginning to end, 5 to 172800; 3600 unless told.',
  })
  executionTimeoutSeconds?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Begins outside of maintenance windows too; false unless told.',
  })
  ignoresWindows?: boolean | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When it begins, at most 30 days ahead; at once unless told, or where that has passed. Nobody gets it before, and it ' +
      'can be cancelled until then. Whom it is for is settled when it is sent, whatever becomes of groups and tags.',
  })
  startAt?: Date | null;

  @Field(() => String, {
    nullable: true,
    description: idempotencyKeyText,
  })
  idempotencyKey?: string | null;
}

@InputType({ description: 'To which of its instances a command is sent again.' })
export class RetryCommandInput {
  @Field(() => [InvocationStatus], {
    description: 'To those on which it ended in one of these statuses, as FAILED and EXECUTION_TIMED_OUT.',
  })
  statuses!: InvocationStatus[];

  @Field(() => String, {
    nullable: true,
    description: 'Makes the call safe to repeat for 24 hours, as the header `Idempotency-Key` does.',
  })
  idempotencyKey?: string | null;
}

export const retryCommandRules = z.object({
  statuses: z.array(z.enum(InvocationStatus)).min(1, 'Name at least one status'),
});

const within = (what: string, low: number, high: number) => {
  const sentence = `${what} must be from ${low} to ${high}`;
  return z.number().min(low, sentence).max(high, sentence).nullish();
};

const mostAheadMs = 30 * 24 * 60 * 60 * 1000;

export const sendCommandRules = (now: Date) =>
  z
    .object({
      instanceIds: z.array(z.string()).max(1_000, 'At most 1000 instances').nullish(),
      groupIds: z.array(z.string()).max(100, 'At most 100 groups').nullish(),
      tags: z.array(z.string()).max(20, 'At most 20 tags').nullish(),
      command: z.enum(CommandKind),
      params: z.record(z.string(), z.unknown()).nullish(),
      maxConcurrency: within('Max concurrency', 1, 10_000),
      maxErrors: within('Max errors', 0, 10_000),
      deliveryTimeoutSeconds: within('Delivery timeout seconds', 30, 172_800),
      executionTimeoutSeconds: within('Execution timeout seconds', 5, 172_800),
      ignoresWindows: z.boolean().nullish(),
      startAt: z
        .date()
        .max(new Date(now.getTime() + mostAheadMs), 'Start at must be at most 30 days ahead')
        .nullish(),
    })
    .superRefine(({ command, params, instanceIds, groupIds, tags }, context) => {
      if (!instanceIds?.length && !groupIds?.length && !tags?.length) {
        context.addIssue({ code: 'custom', path: ['instanceIds'], message: 'Name at least one instance' });
      }
      for (const { path, message } of paramsFaults(command, params ?? {})) {
        context.addIssue({ code: 'custom', path: ['params', ...path], message });
      }
    });

@InputType({ description: 'Narrows a list of commands; what is left out does not narrow.' })
export class CommandFilter {
  @Field(() => CommandStatus, { nullable: true, description: 'Only commands in this status.' })
  status?: CommandStatus | null;

  @Field(() => CommandKind, { nullable: true, description: 'Only this kind of command.' })
  command?: CommandKind | null;

  @Field(() => ID, { nullable: true, description: 'Only commands that are for this instance too.' })
  instanceId?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Only commands that were made at or after it.' })
  from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Only commands that were made before it.' })
  to?: Date | null;
}

export const mostResults = 10_000;

@ArgsType()
export class ResultsArgs {
  @Field(() => Int, { nullable: true, description: 'How many, 1 to 10000; 500 unless told.' })
  first?: number | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Those after this instance, the last one of the page before; absent for the first page.',
  })
  after?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only the one on this instance.' })
  instanceId?: string | null;

  @Field(() => [InvocationStatus], { nullable: true, description: 'Only those in one of these statuses.' })
  statuses?: InvocationStatus[] | null;
}

export enum ReportedStatus {
  IN_PROGRESS = 'IN_PROGRESS',
  SUCCESS = 'SUCCESS',
  FAILED = 'FAILED',
}

registerEnumType(ReportedStatus, {
  name: 'ReportedStatus',
  description: 'What a node says of a command that it was handed.',
  valuesConfig: {
    IN_PROGRESS: { description: 'It has begun, or has come further. The command is not handed to it again.' },
    SUCCESS: { description: 'It is done.' },
    FAILED: { description: 'It could not be done.' },
  },
});

@InputType({
  description:
    'How far a node is with a command, or how it ended. A result counts even when a part of it does not: what cannot be ' +
    'taken as it came is told in the warnings.',
})
export class ReportCommandResultInput {
  @Field(() => String, { description: 'The lease that the command came with.' })
  lease!: string;

  @Field(() => ReportedStatus, { description: 'How it is.' })
  status!: ReportedStatus;

  @Field(() => ReportedText, {
    nullable: true,
    description:
      'Everything it printed so far. Of more than 65536 characters the first quarter of that and the rest from the end ' +
      'are kept, with a line between them that says how much was left out.',
  })
  output?: unknown;

  @Field(() => Measurement, {
    nullable: true,
    description: 'How it exited: a whole number of 32 bits, with a sign or without.',
  })
  exitCode?: unknown;

  @Field(() => Measurement, { nullable: true, description: 'How far it is, 0 to 100.' })
  progress?: unknown;

  @Field(() => [String], { nullable: true, description: unknownFieldsDescription })
  unknownFields?: string[] | null;
}
