import type { SqlEntityManager } from '#platform/database/database.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { storedSilence } from '../hearing/hearing-store.job.js';
import type { Silence } from '../hearing/hearing.rules.js';
import type { Suspension } from '../hearing/suspension.job.js';
import { endOfDelivery, lockCommand, move, settle, type ProgressStep } from './command-progress.service.js';
import type { Command } from './command.entity.js';
import { offered } from './command.events.js';
import { InvocationStatus } from './command.status.js';
import { CommandInvocation } from './invocation.entity.js';

const batch = 500;
/**
 * Each takes some statements, and all that are looked at in one transaction stay locked, as the lease does, until it ends.
 * No event of anybody is settled meanwhile either.
 */
const commandsAtOnce = 25;

/** Ends what was not taken up or not done in time, and takes back what was handed out to a node that stayed silent. */
export function commandTimeoutsSweep(suspension: Suspension): Sweep {
  return {
    name: 'command.time-out',
    everyMs: 2_000,
    due: 'select from fleet.command_invocation where due_at <= ?',
    async run({ em, now, publish }) {
      const due = await em.execute<{ tenantId: string; id: string }[]>(
        `select distinct tenant_id as "tenantId", command_id as id from (
           select tenant_id, command_id from fleet.command_invocation where due_at <= ? order by due_at limit ${batch}
         ) due order by 1, 2`,
        [now],
      );
      if (due.length === 0) return 'done';
      const silence = await storedSilence(em, now);
      let [looked, commands] = [0, 0];
      for (const { tenantId, id } of due) {
        if (commands === commandsAtOnce) return 'more';
        // One whose node is just reporting is looked at again in the next run.
        const command = await lockCommand(em, tenantId, id, 'skip');
        if (!command) continue;
        commands += 1;
        looked += await timeOut({ em, now, publish }, command, (invocation) =>
          putOffTo(invocation, silence, suspension, now),
        );
        await em.flush();
        em.clear();
      }
      return looked >= batch ? 'more' : 'done';
    },
  };
}

async function timeOut(
  step: ProgressStep,
  command: Command,
  laterFor: (invocation: CommandInvocation) => Date | undefined,
): Promise<number> {
  const { em, now, publish } = step;
  const { tenantId, id: commandId } = command;
  const due = await em.find(
    CommandInvocation,
    { tenantId, commandId, dueAt: { $lte: now } },
    { limit: batch, orderBy: { position: 'asc' } },
  );
  for (const invocation of due) {
    const later = laterFor(invocation);
    if (later) {
      invocation.dueAt = later;
      continue;
    }
    const to = overdue(command, invocation, now);
    move(command, invocation, to, now);
    if (to === InvocationStatus.DELAYED) invocation.dueAt = command.expiresAt;
  }
  const again = due.filter(({ status }) => status === InvocationStatus.DELAYED);
  for (const event of offered(
    command,
    again.map(({ instanceId }) => instanceId),
  )) {
    publish(event);
  }
  if (due.length > 0) await settle(step, command, due);
  return due.length;
}

/** Its result may be on its way: the node could not tell it while the panel was away, or refused to hear it. */
function putOffTo(
  { tenantId, status, dueAt }: CommandInvocation,
  { gap }: Silence,
  { isSuspended, deadlineMs }: Suspension,
  now: Date,
): Date | undefined {
  if (status !== InvocationStatus.IN_PROGRESS) return undefined;
  if (isSuspended(tenantId)) return new Date(now.getTime() + deadlineMs);
  const isInGap = gap && dueAt && dueAt > gap.lostAt && now < gap.countsAgainAt;
  return isInGap ? gap.countsAgainAt : undefined;
}

function overdue(command: Command, { status }: CommandInvocation, now: Date): InvocationStatus {
  if (status === InvocationStatus.IN_PROGRESS) return InvocationStatus.EXECUTION_TIMED_OUT;
  return endOfDelivery(command, now) ?? InvocationStatus.DELAYED;
}

const keptDays = 90;
/** Commands removed in one transaction, and about as many of their invocations at most: a command may have thousands. */
const removedAtOnce = { commands: 500, invocations: 10_000 };

/** Forgets commands that ended long ago. */
export const commandRetentionSweep: Sweep = {
  name: 'command.retain',
  isLong: true,
  everyMs: 600_000,
  async run({ em, now }) {
    const removed = await removeFinished(em, new Date(now.getTime() - keptDays * 24 * 60 * 60 * 1000));
    return removed > 0 ? 'more' : 'done';
  },
};

/** The oldest first, as many as fit; one that alone has more invocations goes alone. */
async function removeFinished(em: SqlEntityManager, before: Date): Promise<number> {
  const rows = await em.execute<unknown[]>(
    `with oldest as (
       select tenant_id, id, total, finished_at from fleet.command where finished_at < ?
       order by finished_at, id limit ${removedAtOnce.commands}
     ), chosen as (
       select tenant_id, id, sum(total) over sofar as up_to_it, row_number() over sofar as at
       from oldest window sofar as (order by finished_at, id rows unbounded preceding)
     ), removed as (
       delete from fleet.command c using chosen
       where c.tenant_id = chosen.tenant_id and c.id = chosen.id
         and (chosen.at = 1 or chosen.up_to_it <= ${removedAtOnce.invocations})
       returning c.tenant_id, c.id
     ), invocations as (
       delete from fleet.command_invocation i using removed r where i.tenant_id = r.tenant_id and i.command_id = r.id
     )
     select 1 from removed`,
    [before],
  );
  return rows.length;
}
