import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { CommandProgressed } from '#schema/events.js';

import { advanceKind, claimMs } from './kinds.js';

const atOnce = 100;

/** Has the steps taken that are due: one tenant's at a time. Whoever dies over one leaves it due again. */
export const canariesDueSweep: Sweep = {
  name: 'canary.due',
  everyMs: 1_000,
  due: 'select from governance.canary where due_at <= ?',
  async run({ em, now, enqueue }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from governance.canary where due_at <= ? order by due_at limit 1',
      [now],
    );
    if (!first) return 'done';
    const due = await em.execute<{ id: string }[]>(
      `update governance.canary set due_at = ? where tenant_id = ? and id in (
         select id from governance.canary where tenant_id = ? and due_at <= ? order by due_at limit ?)
       returning id`,
      [new Date(now.getTime() + claimMs), first.tenantId, first.tenantId, now, atOnce],
    );
    for (const { id } of due) enqueue(advanceKind, { tenantId: first.tenantId, canaryId: id });
    return due.length > 0 ? 'more' : 'done';
  },
};

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

/** Forgets canaries that ended long ago. */
export const canaryRetentionSweep: Sweep = {
  name: 'canary.retention',
  everyMs: 3_600_000,
  async run({ em, now }) {
    const [first] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from governance.canary where finished_at < ? order by finished_at limit 1',
      [new Date(now.getTime() - keptMs)],
    );
    if (!first) return 'done';
    await em.execute(
      `delete from governance.canary where tenant_id = ? and id in (
         select id from governance.canary where tenant_id = ? and finished_at < ? order by finished_at limit ?)`,
      [first.tenantId, first.tenantId, new Date(now.getTime() - keptMs), atOnce],
    );
    return 'more';
  },
};
