import { tryAdvisoryLock } from '#platform/database/advisory-lock.js';
import type { Database } from '#platform/database/database.js';
import { ApiError, notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import { isInWindow } from '../maintenance/held-instances.service.js';
import { endOfDelivery, freeSlots, lockCommand, move, settle } from './command-progress.service.js';
import type { Command } from './command.entity.js';
import { ReportedStatus, type ReportCommandResultInput } from './command.inputs.js';
import { endStatuses, InvocationStatus, waitingStatuses } from './command.status.js';
import { CommandInvocation } from './invocation.entity.js';
import type { NodeCommand } from './node-command.js';
import { judgeResult, type ReportedResult } from './result.rules.js';

/**
 * Each is locked until all are handed out, and beats that come meanwhile wait for them: hundreds that had gathered would
 * take longer than anyone waits.
 */
const mostAtOnce = 20;
/** So many of those that wait are read at a time, and no more than that are looked at in one beat. */
const readAtOnce = 100;
const mostLookedAt = 1_000;

/** What a node got, and whether something is left that it may get later. */
export interface Handed {
  commands: NodeCommand[];
  isMoreWaiting: boolean;
}

/** Commands as nodes see them: handed out at least once, and reported on as often as the node likes. */
export class DeliveryService {
  constructor(
    /** Within this a node has to say that it took a command, or it is handed out again. */
    private readonly leaseSeconds: number,
  ) {}

  /**
   * Hands the calling node what waits for it, oldest first and some at a time, as far as each command's `maxConcurrency`
   * allows. What comes after a thousand others that may not begin waits until some of them have ended.
   */
  async take(operation: Operation): Promise<Handed> {
    const { tenantId, instanceId } = operation.requireNode();
    const now = operation.clock.now();
    const { ready, isMoreWaiting } = await this.ready(operation, now);
    if (ready.length === 0) return { commands: [], isMoreWaiting };
    return operation.write(async (write) => {
      const commands: NodeCommand[] = [];
      // Beats of the same node that come meanwhile would wait for each other, and hold connections for nothing.
      if (!(await tryAdvisoryLock(write.em, 'fleet.handing_out', instanceId)))
        return { commands, isMoreWaiting };
      for (const { commandId } of ready) {
        const handed = await this.hand(write, { tenantId, commandId, instanceId }, now);
        if (handed) commands.push(handed);
      }
      return { commands, isMoreWaiting };
    }, tenantId);
  }

  /**
   * Takes a node's report. The first end that is reported, or found by a timeout, stands; another one is kept beside
   * it. CONFLICT (LEASE_UNKNOWN) when the command was not handed out under this lease, and also where the node asks
   * whether it may begin, or be at it, and may not: COMMAND_FINISHED, or LEASE_EXPIRED when it has to be handed out again
   * first, as its window has closed meanwhile or it asks too late, or has been handed out again already.
   */
  async report(
    operation: Operation,
    commandId: string,
    input: ReportCommandResultInput,
  ): Promise<CommandInvocation> {
    const { tenantId, instanceId } = operation.requireNode();
    const { report, warnings } = judgeResult(input);
    const now = operation.clock.now();
    const mayAskToBegin = report.status === ReportedStatus.IN_PROGRESS;
    const unbegun = { tenantId, commandId, instanceId, startedAt: null };
    const isOpen =
      mayAskToBegin &&
      (await operation.em.count(CommandInvocation, unbegun)) > 0 &&
      (await isInWindow(operation.database, { tenantId, instanceId }, now));
    const outcome = await operation.write(async ({ em, publish }) => {
      const command = await lockCommand(em, tenantId, commandId);
      const invocation =
        command &&
        (await em.findOne(
          CommandInvocation,
          { tenantId, commandId, instanceId },
          { populate: ['output', 'lateResult'] },
        ));
      if (!invocation) throw notFound('Command');
      if (!isLeaseOf(invocation, report.lease)) {
        throw new ApiError('CONFLICT', 'The command was not handed out under this lease', {
          reason: 'LEASE_UNKNOWN',
        });
      }
      if (mayAskToBegin) requireMayBeAtIt(invocation, report.lease);
      if (mayAskToBegin && !invocation.startedAt) {
        const end = endOfDelivery(command, now);
        if (end) {
          // It was handed out before the command was cancelled, ran out, or had failed too often. The write stands.
          move(command, invocation, end, now);
          await settle({ em, now, publish }, command, [invocation]);
          return finished();
        }
        requireMayBegin(invocation, now);
        if (!isOpen && !command.ignoresWindows) {
          // It was handed out while its window was open. So does this write.
          move(command, invocation, InvocationStatus.DELAYED, now);
          invocation.dueAt = command.expiresAt;
          await settle({ em, now, publish }, command, [invocation]);
          return leaseExpired();
        }
      }
      if (endStatuses.has(invocation.status)) {
        keepLate(invocation, report, now);
        return invocation;
      }
      if (report.output !== null) {
        invocation.output = report.output;
        invocation.outputTruncated = report.isTruncated;
      }
      invocation.exitCode = report.exitCode ?? invocation.exitCode;
      invocation.progress =
        report.status === ReportedStatus.SUCCESS ? 100 : (report.progress ?? invocation.progress);
      if (!invocation.startedAt) {
        invocation.startedAt = now;
        invocation.dueAt = new Date(now.getTime() + command.executionTimeoutSeconds * 1000);
      }
      move(command, invocation, InvocationStatus[report.status], now);
      await settle({ em, now, publish }, command, [invocation]);
      return invocation;
    }, tenantId);
    if (outcome instanceof ApiError) throw outcome;
    return Object.assign(outcome, { warnings });
  }

  /**
   * Those of the waiting that may be handed out as far as one can tell without their locks, for which the beats of a
   * whole fleet would queue.
   */
  private async ready(
    operation: Operation,
    now: Date,
  ): Promise<{ ready: readonly Waiting[]; isMoreWaiting: boolean }> {
    const node = operation.requireNode();
    const ready: Waiting[] = [];
    let after = '';
    let isOpen: boolean | undefined;
    let looked = 0;
    while (looked < mostLookedAt) {
      const page = await waitingFor(operation.database, node, { now, after });
      looked += page.length;
      const free = page.filter((each) => mayBegin(each, now));
      if (free.some(({ ignoresWindows }) => !ignoresWindows))
        isOpen ??= await isInWindow(operation.database, node, now);
      ready.push(...free.filter(({ ignoresWindows }) => ignoresWindows || isOpen));
      if (ready.length >= mostAtOnce || page.length < readAtOnce) break;
      after = page.at(-1)!.commandId;
    }
    return { ready: ready.slice(0, mostAtOnce), isMoreWaiting: looked > 0 };
  }

  private async hand(
    { em }: Write,
    key: { tenantId: string; commandId: string; instanceId: string },
    now: Date,
  ): Promise<NodeCommand | undefined> {
    const command = await lockCommand(em, key.tenantId, key.commandId);
    if (!command || endOfDelivery(command, now)) return undefined;
    const invocation = await em.findOneOrFail(CommandInvocation, key);
    const isWaiting = waitingStatuses.some((status) => status === invocation.status);
    if (!isWaiting || (invocation.leasedUntil && invocation.leasedUntil > now)) return undefined;
    if ((await freeSlots(em, now, command)) <= 0) return undefined;
    invocation.deliveries += 1;
    invocation.deliveredAt ??= now;
    invocation.leasedUntil = new Date(now.getTime() + this.leaseSeconds * 1000);
    invocation.dueAt = invocation.leasedUntil;
    invocation.updatedAt = now;
    await em.flush();
    return {
      id: command.id,
      command: command.kind,
      params: command.params,
      lease: `${invocation.deliveries}.${invocation.leaseStem}`,
    };
  }
}

/** What waits for an instance, and what decides whether it may begin. */
interface Waiting extends Pick<
  Command,
  'counts' | 'maxErrors' | 'maxConcurrency' | 'cancelledAt' | 'expiresAt' | 'ignoresWindows'
> {
  commandId: string;
  leasedUntil: Date | null;
  /** How many have it in their hands and have not said that they began. */
  leased: number;
}

/** As far as one can tell without its lock, and but for windows. */
function mayBegin(waiting: Waiting, now: Date): boolean {
  const { leasedUntil, maxConcurrency, counts, leased } = waiting;
  if ((leasedUntil && leasedUntil > now) || endOfDelivery(waiting, now)) return false;
  return maxConcurrency > (counts.IN_PROGRESS ?? 0) + leased;
}

/** Some of them, oldest first, after a command. What has not begun, and was leased to nobody, does not wait yet. */
async function waitingFor(
  database: Database,
  { tenantId, instanceId }: { tenantId: string; instanceId: string },
  { now, after }: { now: Date; after: string },
): Promise<Waiting[]> {
  return database.select<Waiting>(
    tenantId,
    `select i.command_id as "commandId", i.leased_until as "leasedUntil", c.counts, c.max_errors as "maxErrors",
       c.max_concurrency as "maxConcurrency", c.cancelled_at as "cancelledAt", c.expires_at as "expiresAt",
       c.ignores_windows as "ignoresWindows",
       (select count(*)::integer from fleet.command_invocation l
        where l.tenant_id = c.tenant_id and l.command_id = c.id and l.leased_until > ?) as leased
     from (
       select tenant_id, command_id, leased_until from fleet.command_invocation
       where tenant_id = ? and instance_id = ? and command_id > ? and status in ('PENDING', 'DELAYED')
         and (leased_until is null or leased_until <= ? or deliveries > 0)
       order by command_id limit ?
     ) i join fleet.command c on c.tenant_id = i.tenant_id and c.id = i.command_id
     order by i.command_id`,
    [now, tenantId, instanceId, after, now, readAtOnce],
  );
}

/**
 * Whoever says that they are at it takes the answer for consent. So they are told where it has ended meanwhile, as where
 * the answer to the first time was lost for longer than the time that it had, or where a machine was restored from before.
 * Of two copies of a node one is at it: the one that it was handed to last.
 */
function requireMayBeAtIt({ status, deliveries }: CommandInvocation, lease: string): void {
  if (endStatuses.has(status)) throw finished();
  if (Number.parseInt(lease, 10) !== deliveries) throw leaseExpired();
}

/** A node begins only while its place among those at it is kept for it. */
function requireMayBegin({ leasedUntil }: CommandInvocation, now: Date): void {
  if (!leasedUntil || leasedUntil <= now) throw leaseExpired();
}

function leaseExpired(): ApiError {
  return new ApiError('CONFLICT', 'The time to begin with the command is over; it is handed out again', {
    reason: 'LEASE_EXPIRED',
  });
}

function finished(): ApiError {
  return new ApiError('CONFLICT', 'The command has ended already', { reason: 'COMMAND_FINISHED' });
}

/** Any lease that was given for it will do for a result: a node that was slow to answer has run it all the same. */
function isLeaseOf({ deliveries, leaseStem }: CommandInvocation, lease: string): boolean {
  const [, number, stem] = /^(\d{1,6})\.(.+)$/.exec(lease) ?? [];
  return stem === leaseStem && Number(number) >= 1 && Number(number) <= deliveries;
}

/** A node repeats a report when it missed the answer; only one that says something else is kept. */
function keepLate(invocation: CommandInvocation, report: ReportedResult, now: Date): void {
  if (report.status === ReportedStatus.IN_PROGRESS) return;
  const status = InvocationStatus[report.status];
  const { output, exitCode, isTruncated } = report;
  const says = (kept: { status: InvocationStatus; output: string | null; exitCode: number | null } | null) =>
    kept?.status === status && kept.output === output && kept.exitCode === exitCode;
  if (says(invocation) || says(invocation.lateResult)) return;
  invocation.lateResult = {
    status,
    output,
    outputTruncated: isTruncated,
    exitCode,
    reportedAt: now.toISOString(),
  };
  invocation.updatedAt = now;
}
