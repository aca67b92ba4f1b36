import type { Logger } from '#platform/logger.js';
import type { Sweep } from '#platform/membership/sweep.js';

import { judgeClusters } from '../cluster/judge-clusters.service.js';
import { recordDay } from '../score/record-day.job.js';
import { evaluateNodes, nodeColumns, type NodeRow } from './evaluation.service.js';
import { judgeApart } from './judge-apart.service.js';

const atOnce = 500;
/** How long one step judges: rules may cost much or little, and all that it locks is held for as long. */
const atMostMs = 3_000;
/** How long a result may stand without being looked at again. */
const refreshMs = 60 * 60 * 1000;

/**
 * Judges the instances of a tenant whose policies have changed, some hundred at a time, and then its clusters. Takes locks as those who change
 * policies do: the tenant's standing first, then instances in the order of their ids, then clusters.
 */
export const pendingSweep = (logger: Logger): Sweep => ({
  name: 'results.pending',
  everyMs: 1_000,
  due: 'select from governance.standing where pending_since <= ?',
  async run({ em, now, publish }) {
    const [tenant] = await em.execute<{ tenantId: string; revision: string }[]>(
      `select tenant_id as "tenantId", revision::text as revision from governance.standing
       where pending_since <= ? order by pending_since limit 1 for update skip locked`,
      [now],
    );
    if (!tenant) return 'done';
    const { tenantId, revision } = tenant;
    const wait = async (since: Date | null) =>
      em.execute('update governance.standing set pending_since = ? where tenant_id = ?', [since, tenantId]);
    await judgeApart({ em, now, publish }, logger, {
      tenantId,
      async judge(step) {
        const nodes = await step.em.execute<NodeRow[]>(
          `select ${nodeColumns} from governance.node where tenant_id = ? and id in (
             select id from governance.node where tenant_id = ? and revision < ? order by revision, id limit ?)
           order by id for update`,
          [tenantId, tenantId, revision, atOnce],
        );
        const judged = await evaluateNodes(step, tenantId, nodes, { atMostMs });
        const isOver = judged < atOnce && judged === nodes.length;
        if (isOver) await judgeClusters(step, tenantId);
        // The others have their turn before its next one.
        await wait(isOver ? null : now);
      },
      putBack: wait,
    });
    return 'more';
  },
});

/** Judges instances of which ages, exemptions or silence have come to a point, one tenant's at a time. */
export const dueSweep = (logger: Logger): Sweep => ({
  name: 'results.due',
  everyMs: 5_000,
  due: 'select from governance.node where due_at <= ?',
  async run({ em, now, publish }) {
    const [due] = await em.execute<{ tenantId: string }[]>(
      `select tenant_id as "tenantId" from governance.node where due_at <= ? order by due_at limit 1`,
      [now],
    );
    if (!due) return 'done';
    const { tenantId } = due;
    const nodes = await em.execute<NodeRow[]>(
      `select ${nodeColumns} from governance.node where tenant_id = ? and due_at <= ? order by id limit ? for update`,
      [tenantId, now, atOnce],
    );
    await judgeApart({ em, now, publish }, logger, {
      tenantId,
      judge: async (step) => evaluateNodes(step, tenantId, nodes, { atMostMs }),
      putBack: async (until) =>
        em.execute(
          `update governance.node set due_at = ?
           where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
          [until, tenantId, JSON.stringify(nodes.map(({ id }) => id))],
        ),
    });
    return 'more';
  },
});

/** Has all of a tenant's instances judged anew each hour, whatever was missed, and keeps the day's score. */
export const refreshSweep: Sweep = {
  name: 'results.refresh',
  everyMs: 60_000,
  due: `select from governance.standing
    where refreshed_at is null or refreshed_at <= ?::timestamptz - interval '${refreshMs} ms'`,
  async run({ em, now }) {
    const [tenant] = await em.execute<{ tenantId: string }[]>(
      `update governance.standing set refreshed_at = ?, revision = revision + 1,
         pending_since = least(pending_since, ?)
       where tenant_id = (select tenant_id from governance.standing
         where refreshed_at is null or refreshed_at <= ? order by refreshed_at nulls first limit 1)
       returning tenant_id as "tenantId"`,
      [now, now, new Date(now.getTime() - refreshMs)],
    );
    if (!tenant) return 'done';
    await recordDay(em, tenant.tenantId, now);
    return 'more';
  },
};
