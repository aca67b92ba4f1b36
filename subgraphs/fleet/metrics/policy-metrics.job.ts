import type { Sweep } from '#platform/membership/sweep.js';
import type { MetricsMeasured } from '#schema/events.js';

import { readMeasured } from './policy-metrics.sql.js';

const atOnce = 500;
const everyMs = 5 * 60_000;
/** Whose newest beat is older has nothing to tell. */
const heardMs = 10 * 60_000;

interface Due {
  tenantId: string;
  metrics: string[];
  after: string;
}

/**
 * Tells what instances measure of that which their tenant's policies are about: every five minutes, some hundred instances
 * in one event and one transaction. Tenants without such policies cost nothing.
 */
export const policyMetricsSweep: Sweep = {
  name: 'metrics.policies',
  everyMs: 5_000,
  due: 'select from fleet.mandatory_policies where metrics_due_at <= ?',
  async run({ em, now, publish }) {
    const [due] = await em.execute<Due[]>(
      `select tenant_id as "tenantId", metrics, metrics_after as after from fleet.mandatory_policies
       where metrics_due_at <= ? order by metrics_due_at limit 1 for update skip locked`,
      [now],
    );
    if (!due) return 'done';
    const { tenantId, metrics, after } = due;
    const statement = readMeasured(metrics);
    const rows = statement
      ? await em.execute<
          { id: string; at: Date | string; metrics: Record<string, number>; isHeard: boolean }[]
        >(statement.sql, [
          new Date(now.getTime() - heardMs),
          tenantId,
          after,
          atOnce,
          ...Array.from({ length: 2 * statement.windows }, () => now),
        ])
      : [];
    const heard = rows.filter(({ isHeard }) => isHeard);
    if (heard.length > 0) {
      publish({
        topic: 'fleet.metrics.measured',
        tenantId,
        entityId: tenantId,
        payload: {
          instances: heard.map(({ id, at, metrics: measured }) => ({
            instanceId: id,
            at: new Date(at).toISOString(),
            metrics: measured,
          })),
        } satisfies MetricsMeasured,
      });
    }
    const isLast = rows.length < atOnce;
    await em.execute(
      `update fleet.mandatory_policies set metrics_after = ?, metrics_due_at = ? where tenant_id = ?`,
      [
        isLast ? '' : rows.at(-1)!.id,
        isLast ? (statement ? new Date(now.getTime() + everyMs) : null) : now,
        tenantId,
      ],
    );
    return 'more';
  },
};
