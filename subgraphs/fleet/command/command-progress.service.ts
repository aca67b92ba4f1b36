import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';

import { noteCommandEnds, type CommandEnd } from '../alert/command-failed.service.js';
import { Command } from './command.entity.js';
import { offered, progressed } from './command.events.js';
import { commandStatusOf, endStatuses, errorsIn, InvocationStatus, waitingIn } from './command.status.js';
import type { CommandInvocation } from './invocation.entity.js';

/** A transaction that holds the lock of the command it changes. */
export interface ProgressStep {
  em: SqlEntityManager;
  now: Date;
  publish: (event: OutboxEvent) => void;
}

/**
 * Takes the lock under which everything of a command changes, its invocations included. Null when there is none, or,
 * with `skip`, when another transaction has it.
 */
export async function lockCommand(
  em: SqlEntityManager,
  tenantId: string,
  id: string,
  wait: 'wait' | 'skip' = 'wait',
): Promise<Command | null> {
  const lockMode = wait === 'wait' ? LockMode.PESSIMISTIC_WRITE : LockMode.PESSIMISTIC_PARTIAL_WRITE;
  return em.findOne(Command, { tenantId, id }, { lockMode });
}

/** Moves one invocation on. One that has ended stays as it is: callers look first. */
export function move(command: Command, invocation: CommandInvocation, to: InvocationStatus, now: Date): void {
  const from = invocation.status;
  invocation.status = to;
  invocation.updatedAt = now;
  invocation.leasedUntil = null;
  if (endStatuses.has(to)) {
    invocation.finishedAt = now;
    invocation.dueAt = null;
  }
  count(command, from, to, 1);
}

function count(command: Command, from: InvocationStatus, to: InvocationStatus, amount: number): void {
  if (from === to || amount === 0) return;
  const { counts } = command;
  command.counts = {
    ...counts,
    [from]: (counts[from] ?? 0) - amount,
    [to]: (counts[to] ?? 0) + amount,
  };
}

/** The end of those that wait from now on, or undefined while instances may still begin. */
export function endOfWaiting(
  command: Pick<Command, 'cancelledAt' | 'counts' | 'maxErrors'>,
): InvocationStatus.CANCELLED | InvocationStatus.TERMINATED | undefined {
  if (command.cancelledAt) return InvocationStatus.CANCELLED;
  return errorsIn(command.counts) > command.maxErrors ? InvocationStatus.TERMINATED : undefined;
}

/** The end of one that has not begun, or undefined while it may begin yet, on one delivery or another. */
export function endOfDelivery(
  command: Pick<Command, 'cancelledAt' | 'counts' | 'maxErrors' | 'expiresAt'>,
  now: Date,
): ReturnType<typeof endOfWaiting> | InvocationStatus.DELIVERY_TIMED_OUT {
  return (
    endOfWaiting(command) ?? (command.expiresAt <= now ? InvocationStatus.DELIVERY_TIMED_OUT : undefined)
  );
}

/** Brings the command itself up to date after `changed` were moved, and tells everyone. */
export async function settle(
  step: ProgressStep,
  command: Command,
  changed: readonly CommandInvocation[],
): Promise<void> {
  const end = endOfWaiting(command);
  const ended = end ? await endWaiting(step, command, end) : 0;
  command.status = commandStatusOf(command.counts, {
    total: command.total,
    maxErrors: command.maxErrors,
    isCancelled: command.cancelledAt !== null,
    isPlanned: command.dueAt !== null,
  });
  const isOver = waitingIn(command.counts) + (command.counts.IN_PROGRESS ?? 0) === 0;
  if (isOver) {
    command.finishedAt ??= step.now;
    command.dueAt = null;
  } else if (!end) await offerNext(step, command);
  await noteCommandEnds(step, command, changed.flatMap(endOf));
  for (const invocation of changed) step.publish(progressed(command, invocation));
  if (changed.length === 0 || ended > 0) step.publish(progressed(command));
}

/** What tells whether the kind of command works there: as with `maxErrors`, only what the node had begun. */
function endOf({ instanceId, status, exitCode }: CommandInvocation): CommandEnd[] {
  if (status === InvocationStatus.SUCCESS) return [{ instanceId, failure: null }];
  if (status === InvocationStatus.EXECUTION_TIMED_OUT) {
    return [{ instanceId, failure: 'did not end in time' }];
  }
  if (status !== InvocationStatus.FAILED) return [];
  return [{ instanceId, failure: exitCode === null ? 'failed' : `failed with exit code ${exitCode}` }];
}

/** Ends those that no node has in its hands, those of a command that has not begun among them. One that was just handed out asks before it begins, and ends then, or with its lease. */
async function endWaiting(
  { em, now }: ProgressStep,
  command: Command,
  end: InvocationStatus,
): Promise<number> {
  await em.flush();
  const { tenantId, id } = command;
  const ended = await em.execute<{ status: InvocationStatus; amount: number }[]>(
    `with waiting as (
       select instance_id, status from fleet.command_invocation
       where tenant_id = ? and command_id = ? and status in ('PENDING', 'DELAYED')
         and (leased_until is null or leased_until <= ? or deliveries = 0)
     ), ended as (
       update fleet.command_invocation i
       set status = ?, finished_at = ?, updated_at = ?, due_at = null, leased_until = null
       from waiting w where i.tenant_id = ? and i.command_id = ? and i.instance_id = w.instance_id
       returning w.status
     )
     select status, count(*)::integer as amount from ended group by status`,
    [tenantId, id, now, end, now, now, tenantId, id],
  );
  for (const { status, amount } of ended) count(command, status, end, amount);
  return ended.reduce((sum, { amount }) => sum + amount, 0);
}

/** How many more instances may begin now. */
export async function freeSlots(
  em: SqlEntityManager,
  now: Date,
  { tenantId, id, counts, maxConcurrency }: Command,
): Promise<number> {
  const [leased] = await em.execute<{ amount: number }[]>(
    `select count(*)::integer as amount from fleet.command_invocation
     where tenant_id = ? and command_id = ? and leased_until > ?`,
    [tenantId, id, now],
  );
  return maxConcurrency - (counts.IN_PROGRESS ?? 0) - (leased?.amount ?? 0);
}

// Waiting instances of a command from a position on, and from its beginning up to there.
const waiting = (where: string, turn: number) => `(select instance_id, position, ${turn} as turn
  from fleet.command_invocation
  where tenant_id = ? and command_id = ? and status in ('PENDING', 'DELAYED') and leased_until is null and ${where}
  order by position limit ?)`;

const inTurn = `select w.instance_id as "instanceId", w.position, coalesce(n.offline_at > ?, false) as "isConnected"
  from (${waiting('position >= ?', 1)} union all ${waiting('position < ?', 2)}) w
  left join fleet.instance n on n.tenant_id = ? and n.id = w.instance_id
  order by w.turn, w.position limit ?`;

/** How many that are not connected are passed over at once in search of those that are. */
const passedOver = 100;

/**
 * Calls up instances that were turned away while others were at it, connected ones first. It goes on from one call to the
 * next, and round again: nobody waits for those that are away, which ask by themselves when they are back.
 */
async function offerNext({ em, now, publish }: ProgressStep, command: Command): Promise<void> {
  const { tenantId, id, total, maxConcurrency, nextPosition } = command;
  if (total <= maxConcurrency || waitingIn(command.counts) === 0) return;
  await em.flush();
  const free = await freeSlots(em, now, command);
  if (free <= 0) return;
  const most = free + passedOver;
  const from = [tenantId, id, nextPosition, most];
  const looked = await em.execute<{ instanceId: string; position: number; isConnected: boolean }[]>(inTurn, [
    now,
    ...from,
    ...from,
    tenantId,
    most,
  ]);
  const connected = looked.filter(({ isConnected }) => isConnected).slice(0, free);
  const away = looked.filter(({ isConnected }) => !isConnected).slice(0, free - connected.length);
  const last = connected.length === free ? connected.at(-1) : looked.at(-1);
  if (last) command.nextPosition = last.position + 1;
  for (const event of offered(
    command,
    [...connected, ...away].map(({ instanceId }) => instanceId),
  )) {
    publish(event);
  }
}
