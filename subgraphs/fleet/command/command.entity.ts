import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime, JsonObject } from '#platform/subgraph/scalars.js';

import { CommandKind } from './command.kinds.js';
import { CommandStatus, type StatusCounts } from './command.status.js';

@Entity({ tableName: 'command' })
@ObjectType({
  description: 'Something that instances were told to do. It is kept for 90 days after it has ended.',
})
export class Command {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `cmd_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => CommandKind, { name: 'command', description: 'What is to be done.' })
  @Property({ type: 'text' })
  kind!: CommandKind;

  @Field(() => JsonObject, { description: 'What the kind of command takes; see `commandKinds`.' })
  @Property({ type: 'json' })
  params!: Record<string, unknown>;

  @Field(() => CommandStatus, { description: 'How it is as a whole.' })
  @Property({ type: 'text' })
  status!: CommandStatus;

  /** By status of invocation; changed only with the row locked. */
  @Property({ type: 'json' })
  counts!: StatusCounts;

  @Field(() => Int, { description: 'How many instances it is for.' })
  @Property({ type: 'integer' })
  total!: number;

  /** Of its instances the first that is looked at when another one may begin; changed only with the row locked. */
  @Property({ type: 'integer' })
  nextPosition!: number;

  @Field(() => Int, { description: 'How many instances may be at it at the same time.' })
  @Property({ type: 'integer' })
  maxConcurrency!: number;

  @Field(() => Int, { description: 'How many instances may fail before no other begins.' })
  @Property({ type: 'integer' })
  maxErrors!: number;

  @Field(() => Int, { description: 'Seconds that an instance may take from beginning to end.' })
  @Property({ type: 'integer' })
  executionTimeoutSeconds!: number;

  @Field(() => Boolean, { description: 'Whether it begins outside of maintenance windows too.' })
  @Property({ type: 'boolean' })
  ignoresWindows!: boolean;

  @Field(() => String, {
    description: 'Who sent it: the id of a user or an API key, or `svc:` and the name of a service.',
  })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was sent.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it begins, or has begun, where that was not at once; null else.',
  })
  @Property({ type: 'datetime', nullable: true })
  startAt!: Date | null;

  /** When a sweep looks at its beginning; null where it has begun or ended. Changed only with the row locked. */
  @Property({ type: 'datetime', nullable: true })
  dueAt!: Date | null;

  /** By a resolver of its own. */
  @Property({ type: 'text', nullable: true })
  refusal!: string | null;

  @Field(() => DateTime, { description: 'No instance takes it up after this.' })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was cancelled; null when it was not.' })
  @Property({ type: 'datetime', nullable: true })
  cancelledAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When the last instance ended; null before.' })
  @Property({ type: 'datetime', nullable: true })
  finishedAt!: Date | null;

  /** Of one that is told as progress: the instance that it is about. Not stored. */
  changedOn?: string | null;
}

@ObjectType({ description: 'One page of commands.' })
export class CommandPage extends pageOf(Command, 'Command') {}
