import type { Logger } from '#platform/logger.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { ClusterFactsChanged } from '#schema/events.js';

import { reportedMark } from '../fact/flatten.js';
import { judgeApart } from '../result/judge-apart.service.js';
import { judgeClusters } from './judge-clusters.service.js';

/** Knows the clusters of tenants as hosting tells of them, and judges each anew when something about it changes. */
export const followClusters: Consumer = {
  topics: ['hosting.cluster.facts-changed'],
  async handle({ em, event, now }) {
    const { tenantId } = event;
    const { clusterId, name, tags, facts, version, isRemoved } =
      event.payload as unknown as ClusterFactsChanged;
    if (isRemoved) {
      await em.execute('delete from governance.cluster where tenant_id = ? and id = ?', [
        tenantId,
        clusterId,
      ]);
      return;
    }
    const kept = await em.execute<unknown[]>(
      `insert into governance.cluster as c (tenant_id, id, version, name, tags, facts, offline_since)
       values (?, ?, ?, ?, array(select jsonb_array_elements_text(?::jsonb)), ?::jsonb, ?)
       on conflict (tenant_id, id) do update set version = excluded.version, name = excluded.name, tags = excluded.tags,
         facts = excluded.facts,
         offline_since = case when excluded.offline_since is not null
           then coalesce(c.offline_since, excluded.offline_since) end
       where c.version <= excluded.version and (c.name, c.tags, c.facts) is distinct from
         (excluded.name, excluded.tags, excluded.facts)
       returning 1`,
      [
        tenantId,
        clusterId,
        version,
        name,
        JSON.stringify(tags),
        JSON.stringify({ ...facts, [reportedMark]: true }),
        facts['cluster.status'] === 'offline' ? now : null,
      ],
    );
    if (kept.length > 0) await judgeClusters({ em, now }, tenantId, { id: clusterId });
  },
};

/** Judges clusters of which ages have come to a point, as the end of a credential does; one tenant's at a time. */
export const clustersDueSweep = (logger: Logger): Sweep => ({
  name: 'clusters.due',
  everyMs: 5_000,
  due: 'select from governance.cluster where due_at <= ?',
  async run({ em, now, publish }) {
    const [due] = await em.execute<{ tenantId: string }[]>(
      'select tenant_id as "tenantId" from governance.cluster where due_at <= ? order by due_at limit 1',
      [now],
    );
    if (!due) return 'done';
    const { tenantId } = due;
    await judgeApart({ em, now, publish }, logger, {
      tenantId,
      judge: async (step) => judgeClusters(step, tenantId, { isDue: true }),
      putBack: async (until) =>
        em.execute(
          `with held as (select id from governance.cluster where tenant_id = ? and due_at <= ? order by id for update)
           update governance.cluster set due_at = ? where tenant_id = ? and id in (select id from held)`,
          [tenantId, now, until, tenantId],
        ),
    });
    return 'more';
  },
});
