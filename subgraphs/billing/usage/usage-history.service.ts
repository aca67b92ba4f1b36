import type { Operation } from '#platform/subgraph/operation.js';

import { UsageMetric, usageRange, type UsageHistory } from './usage-history.js';

/** As areas tell of them. */
const recorded: Readonly<Record<UsageMetric, string>> = {
  [UsageMetric.INSTANCES]: 'instances',
  [UsageMetric.USERS]: 'users',
  [UsageMetric.STORAGE_GB]: 'storageGb',
};

interface Row {
  bucket: number;
  mean: number;
  max: number;
}

/** As many buckets as the range has, on whole hours or days; the last is the one that now is in. */
export async function usageHistory(
  { em, tenantId, clock }: Operation,
  metric: UsageMetric,
  range: string,
): Promise<UsageHistory> {
  const { bucketSeconds, buckets } = usageRange(range);
  const bucketMs = bucketSeconds * 1000;
  const first = Math.floor(clock.now().getTime() / bucketMs) - buckets + 1;
  const rows = await em.execute<Row[]>(
    `select floor(extract(epoch from hour) / ?)::int as bucket, avg(used) as mean, max(used) as max
     from billing.usage_record where tenant_id = ? and metric = ? and hour >= ? group by 1`,
    [bucketSeconds, tenantId, recorded[metric], new Date(first * bucketMs)],
  );
  const found = new Map(rows.map((row) => [row.bucket, row]));
  return {
    metric,
    range,
    bucketSeconds,
    buckets: Array.from({ length: buckets }, (_, at) => {
      const { mean = null, max = null } = found.get(first + at) ?? {};
      return { start: new Date((first + at) * bucketMs), mean, max };
    }),
  };
}
