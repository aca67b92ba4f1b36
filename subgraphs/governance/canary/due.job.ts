import { dueSweep } from '#platform/membership/due-sweep.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { CommandProgressed } from '#schema/events.js';

import { advanceKind, claimMs } from './kinds.js';

/** Has the steps taken that are due. */
export const canariesDueSweep = dueSweep({
  name: 'canary.due',
  everyMs: 1_000,
  table: 'governance.canary',
  claimMs,
  job: advanceKind,
  payload: (tenantId, canaryId) => ({ tenantId, canaryId }),
});

/** A canary looks at its command when fleet tells of it; many tellings at once are one look. */
export const followCommands: Consumer = {
  topics: ['fleet.command.progressed'],
  async handle({ em, event, now }) {
    const { commandId } = event.payload as unknown as CommandProgressed;
    await em.execute(
      `update governance.canary c set due_at = ? from governance.canary_dispatch d
       where d.tenant_id = ? and d.command_id = ? and d.finished_at is null
         and c.tenant_id = d.tenant_id and c.id = d.canary_id and c.finished_at is null
         and (c.due_at is null or c.due_at > ?)`,
      [now, event.tenantId, commandId, now],
    );
  },
};

const keptMs = 90 * 24 * 60 * 60_000;

/** Canaries removed in one transaction, and about as many of their members at most: one may have thousands. */
const removedAtOnce = { canaries: 100, members: 10_000 };

/** Forgets canaries that ended long ago. */
export const canaryRetentionSweep: Sweep = {
  name: 'canary.retention',
  isLong: true,
  everyMs: 3_600_000,
  async run({ em, now }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from governance.canary where finished_at < ? order by finished_at limit 1',
      [new Date(now.getTime() - keptMs)],
    );
    if (!first) return 'done';
    await em.execute(
      `with oldest as (
         select id, target, finished_at from governance.canary where tenant_id = ? and finished_at < ?
         order by finished_at, id limit ${removedAtOnce.canaries}
       ), chosen as (
         select id, sum(target) over sofar as up_to_it, row_number() over sofar as at
         from oldest window sofar as (order by finished_at, id rows unbounded preceding)
       )
       delete from governance.canary where tenant_id = ? and id in (
         select id from chosen where at = 1 or up_to_it <= ${removedAtOnce.members})`,
      [first.tenantId, new Date(now.getTime() - keptMs), first.tenantId],
    );
    return 'more';
  },
};
