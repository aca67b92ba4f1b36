import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import { InputWarning } from '../reported/input-warning.js';
import { InvocationStatus } from './command.status.js';

const exitCode = 'How it exited, a whole number of 32 bits as the node told it, with a sign or without';
const outputTruncated = 'Whether the middle of what it printed was left out, as it was too long.';

@ObjectType({ description: 'What a node reported after its part of a command had ended otherwise.' })
export class LateResult {
  @Field(() => InvocationStatus, { description: 'SUCCESS or FAILED.' })
  status!: InvocationStatus;

  @Field(() => String, { nullable: true, description: 'What it printed.' })
  output!: string | null;

  @Field(() => Boolean, { description: outputTruncated })
  outputTruncated!: boolean;

  @Field(() => Float, { nullable: true, description: `${exitCode}.` })
  exitCode!: number | null;

  @Field(() => DateTime, { description: 'When it reported this.' })
  reportedAt!: Date;
}

/** A late result as the row keeps it. */
export type StoredLateResult = Omit<LateResult, 'reportedAt' | 'outputTruncated'> & {
  reportedAt: string;
  /** Absent in those from when none was cut. */
  outputTruncated?: boolean;
};

@Entity({ tableName: 'command_invocation' })
@ObjectType('CommandResult', { description: 'A command on one instance.' })
export class CommandInvocation {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  commandId!: string;

  @Field(() => ID, { description: 'The instance.' })
  @PrimaryKey({ type: 'text' })
  instanceId!: string;

  /** The order in which the instances were named. */
  @Property({ type: 'integer' })
  position!: number;

  @Field(() => InvocationStatus, { description: 'How it is on this instance.' })
  @Property({ type: 'text' })
  status!: InvocationStatus;

  @Field(() => Int, { nullable: true, description: 'How far the node is, 0 to 100, as far as it tells.' })
  @Property({ type: 'integer', nullable: true })
  progress!: number | null;

  @Property({ type: 'text', nullable: true, lazy: true })
  output!: string | null;

  @Field(() => Boolean, { description: outputTruncated })
  @Property({ type: 'boolean' })
  outputTruncated!: boolean;

  @Field(() => Float, { nullable: true, description: `${exitCode}; null until it told.` })
  @Property({ type: new BigIntType('number'), nullable: true })
  exitCode!: number | null;

  @Field(() => Int, { description: 'How often it was handed to the node.' })
  @Property({ type: 'integer' })
  deliveries!: number;

  /** What every lease of this invocation ends with. */
  @Property({ type: 'text' })
  leaseStem!: string;

  /** Until when the node that was handed it has time to say that it took it. */
  @Property({ type: 'datetime', nullable: true })
  leasedUntil!: Date | null;

  /** When the timeouts sweep has to look at it; null once it has ended. */
  @Property({ type: 'datetime', nullable: true })
  dueAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was first handed to the node; null before.',
  })
  @Property({ type: 'datetime', nullable: true })
  deliveredAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the node said that it had begun; null before.',
  })
  @Property({ type: 'datetime', nullable: true })
  startedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it ended; null before.' })
  @Property({ type: 'datetime', nullable: true })
  finishedAt!: Date | null;

  @Field(() => DateTime, { description: 'When anything of this last changed.' })
  @Property({ type: 'datetime' })
  updatedAt!: Date;

  @Property({ type: 'json', nullable: true, lazy: true })
  lateResult!: StoredLateResult | null;

  @Field(() => [InputWarning], {
    nullable: true,
    description:
      'In the answer to `reportCommandResult`: what of the report could not be taken as it came. Null when all of it ' +
      'could, and everywhere else.',
  })
  warnings?: InputWarning[] | null;
}
