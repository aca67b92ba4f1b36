import { randomBytes } from 'node:crypto';

import { raw, type FilterQuery } from '@mikro-orm/core';

import type { Admission } from '#platform/admission/admission.js';
import { ApiError, notFound } from '#platform/errors.js';
import { IdempotencyKeys, type RepeatableCall } from '#platform/idempotency/idempotency-keys.js';
import { newId } from '#platform/ids.js';
import { requireRoom, type Room } from '#platform/room.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';

import { askedCommand } from './admission.js';
import { lockCommand, settle } from './command-progress.service.js';
import { Command } from './command.entity.js';
import { offered, progressed } from './command.events.js';
import {
  retryCommandRules,
  type CommandFilter,
  type RetryCommandInput,
  type SendCommandInput,
} from './command.inputs.js';
import { CommandStatus, InvocationStatus } from './command.status.js';
import { CommandInvocation } from './invocation.entity.js';
import { ResultsLoader } from './results.loader.js';
import { retryTargets, rulesOf } from './retry.service.js';
import {
  beginningOf,
  commandRulesOf,
  defaults,
  expiryOf,
  targetsFor,
  type CommandRules,
} from './targets.service.js';

/** Their instances pass over them with each beat that has something to do. */
const room: Room = {
  lock: 'fleet.command',
  limit: 100,
  of: 'planned commands that have not begun',
  reason: 'PLANNED_COMMANDS_LIMIT',
};

/** The first answer to a call that may be repeated: the command as it was sent, whatever became of it since. */
interface SentCommand {
  command: Command;
  invocations: CommandInvocation[];
}

/** Commands as those who send them see them. */
export class CommandService {
  readonly idempotency = new IdempotencyKeys('fleet', ['sendCommand', 'retryCommand']);

  constructor(private readonly admission: Admission) {}

  /** An instance id that is not of the tenant's fleet is refused by name, and then nothing is sent. */
  async send(operation: Operation, input: SendCommandInput): Promise<Command> {
    const rules = await commandRulesOf(operation, input);
    const call = { mutation: 'sendCommand', input, key: input.idempotencyKey } as const;
    return this.sendTo(operation, call, rules, async (reader) => targetsFor(reader, operation, rules));
  }

  /** The same once more, as a command of its own, to those on which it ended so and which are still of the fleet. */
  async retry(operation: Operation, id: string, input: RetryCommandInput): Promise<Command> {
    const { statuses } = validate(retryCommandRules, input);
    const call = { mutation: 'retryCommand', input: { id, input }, key: input.idempotencyKey } as const;
    const rules = rulesOf(await this.get(operation, id));
    return this.sendTo(operation, call, rules, async (reader) =>
      retryTargets(reader, operation, id, statuses),
    );
  }

  private async sendTo(
    operation: Operation,
    call: RepeatableCall<'sendCommand' | 'retryCommand'>,
    rules: CommandRules,
    targets: (reader: Pick<Write, 'em'>) => Promise<string[]>,
  ): Promise<Command> {
    const admitted = await this.admit(operation, call, rules, targets);
    const sent = await this.idempotency.write(operation, call, revive, async (write) => {
      const instanceIds = await targets(write);
      if (instanceIds.some((id) => !admitted.has(id)))
        throw new ApiError('CONFLICT', 'Who is among these has just changed', { reason: 'TARGETS_CHANGED' });
      const command = this.build(operation, rules, instanceIds.length);
      if (command.startAt) await requireRoomFor(write, command);
      const answer = { command, invocations: await insert(write, command, instanceIds) };
      write.audit({ target: command.id });
      write.publish(progressed(command));
      if (!command.startAt) for (const event of offered(command, instanceIds)) write.publish(event);
      return { answer, response: answer };
    });
    ResultsLoader.of(operation).prime(sent.command.id, sent.invocations);
    return sent.command;
  }

  /** Nothing begins any more; what has begun goes on to its end. Cancelling again changes nothing. */
  async cancel(operation: Operation, id: string): Promise<Command> {
    const now = operation.clock.now();
    return operation.write(async ({ em, publish, audit }) => {
      const command = await lockCommand(em, operation.tenantId, id);
      if (!command) throw notFound('Command');
      audit({ target: id });
      if (command.cancelledAt) return command;
      if (command.finishedAt) {
        throw new ApiError('CONFLICT', 'The command has ended already', { reason: 'COMMAND_FINISHED' });
      }
      command.cancelledAt = now;
      await settle({ em, now, publish }, command, []);
      return command;
    });
  }

  async get(operation: Operation, id: string): Promise<Command> {
    const command = await operation.em.findOne(Command, { tenantId: operation.tenantId, id });
    if (!command) throw notFound('Command');
    return command;
  }

  /** Newest first. */
  async page(
    operation: Operation,
    args: PageArgs,
    filter: CommandFilter | null | undefined,
  ): Promise<Page<Command>> {
    const window = pageWindow(args);
    const matching = matches(operation.tenantId, filter);
    const before = window.after === undefined ? {} : { id: { $lt: window.after } };
    const rows = await operation.em.find(
      Command,
      { $and: [matching, before] },
      { orderBy: { id: 'desc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Command, matching));
  }

  /** Whom it may be sent to, as policies have it. Asked outside of its transaction; not again for a repeated call. */
  private async admit(
    operation: Operation,
    call: RepeatableCall<'sendCommand' | 'retryCommand'>,
    rules: CommandRules,
    targets: (reader: Pick<Write, 'em'>) => Promise<string[]>,
  ): Promise<ReadonlySet<string>> {
    if (await this.idempotency.find(operation, call)) return new Set();
    const instanceIds = await targets(operation);
    await this.admission.require(operation, askedCommand(rules, instanceIds));
    return new Set(instanceIds);
  }

  private build(operation: Operation, rules: CommandRules, total: number): Command {
    const now = operation.clock.now();
    const beginsAt = beginningOf(rules, now);
    const startAt = beginsAt > now ? beginsAt : null;
    return Object.assign(new Command(), {
      tenantId: operation.tenantId,
      id: newId('command'),
      kind: rules.command,
      params: rules.params ?? {},
      status: CommandStatus.PENDING,
      counts: { PENDING: total },
      total,
      nextPosition: 0,
      maxConcurrency: rules.maxConcurrency ?? defaults.maxConcurrency,
      maxErrors: rules.maxErrors ?? defaults.maxErrors,
      executionTimeoutSeconds: rules.executionTimeoutSeconds ?? defaults.executionTimeoutSeconds,
      ignoresWindows: rules.ignoresWindows ?? false,
      createdBy: viewerId(operation.requireViewer()),
      createdAt: now,
      startAt,
      dueAt: startAt,
      refusal: null,
      expiresAt: expiryOf(rules, now),
      cancelledAt: null,
      finishedAt: null,
    });
  }
}

function matches(tenantId: string, filter: CommandFilter | null | undefined): FilterQuery<Command> {
  const conditions: FilterQuery<Command>[] = [{ tenantId }];
  if (filter?.status) conditions.push({ status: filter.status });
  if (filter?.command) conditions.push({ kind: filter.command });
  if (filter?.instanceId) conditions.push({ id: { $in: sentTo(tenantId, filter.instanceId) } });
  if (filter?.from) conditions.push({ createdAt: { $gte: filter.from } });
  if (filter?.to) conditions.push({ createdAt: { $lt: filter.to } });
  return { $and: conditions };
}

/** A node may have had more commands than a statement takes parameters. */
function sentTo(tenantId: string, instanceId: string) {
  return raw('(select command_id from fleet.command_invocation where tenant_id = ? and instance_id = ?)', [
    tenantId,
    instanceId,
  ]);
}

async function requireRoomFor({ em }: Write, { tenantId }: Command): Promise<void> {
  await requireRoom(em, room, tenantId, () => em.count(Command, { tenantId, dueAt: { $ne: null } }));
}

/** By one statement: a command may be for thousands. */
async function insert(
  { em }: Write,
  command: Command,
  instanceIds: readonly string[],
): Promise<CommandInvocation[]> {
  em.persist(command);
  await em.flush();
  const invocations = instanceIds.map((instanceId, position) => newInvocation(command, instanceId, position));
  await em.execute(
    `insert into fleet.command_invocation
       (tenant_id, command_id, instance_id, position, status, lease_stem, leased_until, due_at, updated_at)
     select ?, ?, w."instanceId", w.position, w.status, w."leaseStem", w."leasedUntil", w."dueAt", w."updatedAt"
     from jsonb_to_recordset(?::jsonb) as w ("instanceId" text, position integer, status text, "leaseStem" text,
       "leasedUntil" timestamptz, "dueAt" timestamptz, "updatedAt" timestamptz)`,
    [command.tenantId, command.id, JSON.stringify(invocations)],
  );
  return invocations;
}

function newInvocation(command: Command, instanceId: string, position: number): CommandInvocation {
  return Object.assign(new CommandInvocation(), {
    tenantId: command.tenantId,
    commandId: command.id,
    instanceId,
    position,
    status: InvocationStatus.PENDING,
    progress: null,
    output: null,
    outputTruncated: false,
    exitCode: null,
    deliveries: 0,
    leaseStem: randomBytes(12).toString('base64url'),
    // Until it begins nobody is handed it: not by a process of a version either that does not know of beginnings.
    leasedUntil: command.startAt && command.expiresAt,
    dueAt: command.expiresAt,
    deliveredAt: null,
    startedAt: null,
    finishedAt: null,
    updatedAt: command.createdAt,
    lateResult: null,
  });
}

/** Out of JSON times come as text. A command that was just sent has no others than these. */
function revive({ command, invocations }: SentCommand): SentCommand {
  return {
    command: Object.assign(new Command(), command, {
      createdAt: new Date(command.createdAt),
      startAt: command.startAt && new Date(command.startAt),
      expiresAt: new Date(command.expiresAt),
    }),
    invocations: invocations.map((each) =>
      Object.assign(new CommandInvocation(), each, { updatedAt: new Date(each.updatedAt) }),
    ),
  };
}
