import { ApiError, notFound } from '#platform/errors.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { isInWindow } from '../maintenance/window.service.js';
import { endOfWaiting, freeSlots, lockCommand, move, settle } from './command-progress.service.js';
import {
  reportCommandResultRules,
  ReportedStatus,
  type ReportCommandResultInput,
  type ReportedResult,
} from './command.inputs.js';
import { endStatuses, InvocationStatus, waitingStatuses } from './command.status.js';
import { CommandInvocation } from './invocation.entity.js';
import type { NodeCommand } from './node-command.js';

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

  /** Hands the calling node what waits for it, oldest first, as far as each command's `maxConcurrency` allows. */
  async take(operation: Operation): Promise<Handed> {
    const { tenantId, instanceId } = operation.requireNode();
    const now = operation.clock.now();
    return operation.write(async (write) => {
      const waiting = await write.em.find(
        CommandInvocation,
        { tenantId, instanceId, status: { $in: [...waitingStatuses] } },
        { fields: ['commandId', 'leasedUntil'], orderBy: { commandId: 'asc' }, disableIdentityMap: true },
      );
      const commands: NodeCommand[] = [];
      for (const { commandId, leasedUntil } of waiting) {
        if (leasedUntil && leasedUntil > now) continue;
        const handed = await this.hand(write, { tenantId, commandId, instanceId }, now);
        if (handed) commands.push(handed);
      }
      return { commands, isMoreWaiting: waiting.length > 0 };
    }, tenantId);
  }

  /**
   * Takes a node's report. The first end that is reported, or found by a timeout, stands; another one is kept beside
   * it. CONFLICT (LEASE_UNKNOWN) when the command was not handed out under this lease.
   */
  async report(
    operation: Operation,
    commandId: string,
    input: ReportCommandResultInput,
  ): Promise<CommandInvocation> {
    const { tenantId, instanceId } = operation.requireNode();
    const report = validate(reportCommandResultRules, input);
    const now = operation.clock.now();
    return operation.write(async ({ em, publish }) => {
      const command = await lockCommand(em, tenantId, commandId);
      const invocation =
        command && (await em.findOne(CommandInvocation, { tenantId, commandId, instanceId }));
      if (!invocation) throw notFound('Command');
      if (!isLeaseOf(invocation, report.lease)) {
        throw new ApiError('CONFLICT', 'The command was not handed out under this lease', {
          reason: 'LEASE_UNKNOWN',
        });
      }
      if (endStatuses.has(invocation.status)) {
        keepLate(invocation, report, now);
        return invocation;
      }
      invocation.output = report.output ?? invocation.output;
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
  }

  private async hand(
    { em }: Write,
    key: { tenantId: string; commandId: string; instanceId: string },
    now: Date,
  ): Promise<NodeCommand | undefined> {
    const command = await lockCommand(em, key.tenantId, key.commandId);
    if (!command || command.expiresAt <= now || endOfWaiting(command)) return undefined;
    const invocation = await em.findOneOrFail(CommandInvocation, key);
    const isWaiting = waitingStatuses.some((status) => status === invocation.status);
    if (!isWaiting || (invocation.leasedUntil && invocation.leasedUntil > now)) return undefined;
    if ((await freeSlots(em, now, command)) <= 0) return undefined;
    if (!command.ignoresWindows && !(await isInWindow(em, key, now))) return undefined;
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

/** Any lease that was given for it will do: a node that was slow to answer has run the command all the same. */
function isLeaseOf({ deliveries, leaseStem }: CommandInvocation, lease: string): boolean {
  const [, number, stem] = /^(\d{1,6})\.(.+)$/.exec(lease) ?? [];
  return stem === leaseStem && Number(number) >= 1 && Number(number) <= deliveries;
}

/** A node repeats a report when it missed the answer; only one that says something else is kept. */
function keepLate(invocation: CommandInvocation, report: ReportedResult, now: Date): void {
  if (report.status === ReportedStatus.IN_PROGRESS) return;
  const status = InvocationStatus[report.status];
  const output = report.output ?? null;
  const exitCode = report.exitCode ?? null;
  const says = (kept: { status: InvocationStatus; output: string | null; exitCode: number | null } | null) =>
    kept?.status === status && kept.output === output && kept.exitCode === exitCode;
  if (says(invocation) || says(invocation.lateResult)) return;
  invocation.lateResult = { status, output, exitCode, reportedAt: now.toISOString() };
  invocation.updatedAt = now;
}
