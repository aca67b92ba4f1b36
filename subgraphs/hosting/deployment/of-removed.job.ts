import type { Sweep } from '#platform/membership/sweep.js';

import { deploymentEvent } from './change.service.js';
import { DeploymentStatus } from './deployment.status.js';
import { lostSql } from './keep-seen.sql.js';

const rowsAtOnce = 500;

const removed = `select c.tenant_id as "tenantId", c.id from hosting.cluster c where c.deleted_at <= ? and exists (
  select 1 from hosting.deployment d where d.tenant_id = c.tenant_id and d.cluster_id = c.id and d.deleted_at is null)`;

/** Ends the rows of clusters that were removed, some at a time. What runs there goes on. */
export const deploymentsOfRemovedSweep: Sweep = {
  name: 'deployment.of-removed',
  everyMs: 2_000,
  due: removed,
  async run({ em, now, publish }) {
    const [cluster] = await em.execute<{ tenantId: string; id: string }[]>(
      `${removed} order by c.deleted_at limit 1`,
      [now],
    );
    if (!cluster) return 'done';
    const { tenantId, id: clusterId } = cluster;
    const rows = await em.execute<{ id: string; status: string }[]>(
      `select id, status from hosting.deployment where tenant_id = ? and cluster_id = ? and deleted_at is null
       order by id limit ? for update`,
      [tenantId, clusterId, rowsAtOnce],
    );
    const before = new Map(rows.map(({ id, status }) => [id, status]));
    const ended = await em.execute<{ id: string; version: string }[]>(lostSql, [
      now,
      tenantId,
      JSON.stringify([...before.keys()]),
    ]);
    const { DELETED: status } = DeploymentStatus;
    for (const { id, version } of ended)
      publish(deploymentEvent({ tenantId, clusterId, id, version, status }, before.get(id) ?? null));
    return 'more';
  },
};
