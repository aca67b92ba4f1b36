import type { SqlEntityManager } from '#platform/database/database.js';
import { freePlan } from '#platform/entitlement/free-plan.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer, ConsumerStep } from '#platform/outbox/consumer.js';
import type { InstancesCounted, NoticeRaised, UsageMeasured } from '#schema/events.js';

type Metric = 'instances' | 'users' | 'storageGb';

interface Level {
  metric: Metric;
  used: number;
  /** Of two levels the greater is newer: microseconds since the epoch. */
  version: number;
}

/** Parts of a limit, in percent, that are told of when use comes to them: once each, until use falls below again. */
const thresholds = [
  { percent: 80, notice: 'USAGE_NEAR_LIMIT' },
  { percent: 100, notice: 'USAGE_AT_LIMIT' },
] as const;

/** Keeps how much tenants use, hour by hour and as of now, and tells them when it comes near their limits. */
export const meterUsage: Consumer = {
  topics: [
    'fleet.instances.counted',
    'identity.users.counted',
    'fleet.usage.measured',
    'identity.usage.measured',
  ],
  async handle(step) {
    const { em, event } = step;
    const version = event.entityVersion ?? event.occurredAt.getTime() * 1000;
    if (event.topic === 'fleet.instances.counted' || event.topic === 'identity.users.counted') {
      const { count } = event.payload as unknown as InstancesCounted;
      const metric = event.topic === 'fleet.instances.counted' ? 'instances' : 'users';
      await keep(step, { metric, used: count, version });
      // Who has no instance any more stores nothing, and is not measured by the hour.
      if (metric === 'instances' && count === 0) await keep(step, { metric: 'storageGb', used: 0, version });
      return;
    }
    const { hour, ...used } = event.payload as unknown as UsageMeasured;
    for (const metric of ['instances', 'users', 'storageGb'] as const) {
      const value = used[metric];
      if (value === undefined) continue;
      await record(em, event.tenantId, metric, { hour, used: value });
      await keep(step, { metric, used: value, version });
    }
  },
};

/** An hour that is told again is the same hour. */
async function record(
  em: SqlEntityManager,
  tenantId: string,
  metric: Metric,
  { hour, used }: { hour: string; used: number },
): Promise<void> {
  await em.execute(
    `insert into billing.usage_record (tenant_id, metric, hour, used) values (?, ?, ?, ?) on conflict do nothing`,
    [tenantId, metric, hour, used],
  );
}

async function keep({ em, event, publish }: ConsumerStep, { metric, used, version }: Level): Promise<void> {
  const { tenantId } = event;
  const [level] = await em.execute<{ told: number }[]>(
    `insert into billing.usage_level as l (tenant_id, metric, version, used) values (?, ?, ?, ?)
     on conflict (tenant_id, metric) do update set version = excluded.version, used = excluded.used
     where l.version < excluded.version returning told_percent as told`,
    [tenantId, metric, version, used],
  );
  if (!level) return;
  const limit = await limitOf(em, tenantId, metric);
  const reached = thresholds.findLast(({ percent }) => limit !== null && used * 100 >= percent * limit);
  const now = reached?.percent ?? 0;
  if (now === level.told) return;
  await em.execute('update billing.usage_level set told_percent = ? where tenant_id = ? and metric = ?', [
    now,
    tenantId,
    metric,
  ]);
  if (!reached || now < level.told || limit === null) return;
  const facts = { notice: reached.notice, metric, used, limit } satisfies NoticeRaised;
  publish({ topic: 'billing.notice.raised', tenantId, entityId: tenantId, payload: facts });
}

async function limitOf(em: SqlEntityManager, tenantId: string, metric: Metric): Promise<number | null> {
  const [row] = await em.execute<{ limits: Record<string, number | null> }[]>(
    'select limits from billing.entitlement where tenant_id = ?',
    [tenantId],
  );
  return (row?.limits ?? freePlan.limits)[metric] ?? null;
}

/** Forgets the hours of more than thirteen months ago. */
export const usageRetentionSweep: Sweep = {
  name: 'usage.forget',
  everyMs: 60 * 60 * 1000,
  async run({ em, now }) {
    const batch = 5_000;
    const gone = await em.execute<unknown[]>(
      `delete from billing.usage_record where (tenant_id, metric, hour) in (
         select tenant_id, metric, hour from billing.usage_record where hour <= ? order by hour limit ?) returning 1`,
      [new Date(now.getTime() - 396 * 24 * 60 * 60 * 1000), batch],
    );
    return gone.length === batch ? 'more' : 'done';
  },
};
