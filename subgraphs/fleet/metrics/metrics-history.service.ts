import type { Operation } from '#platform/subgraph/operation.js';

import type { InstanceService } from '../instance/instance.service.js';
import { historyRange, metricsAsked, type MetricName } from './history-range.js';
import { historySql, type HistoryRow } from './history.sql.js';
import type { MetricBand, MetricsBucket, MetricsHistory, Pairs } from './metrics-history.js';
import { rateReachMs } from './tiers.js';

/** Reads of metrics over time. */
export class MetricsHistoryService {
  constructor(
    private readonly instances: InstanceService,
    private readonly heartbeatSeconds: number,
  ) {}

  /** As many buckets as the range has, on whole multiples of their length; the last is the one that now is in. */
  async history(
    operation: Operation,
    asked: { instanceId: string; range: string; metric?: string | null },
  ): Promise<MetricsHistory> {
    const range = historyRange(asked.range, this.heartbeatSeconds);
    const metrics = metricsAsked(asked.metric);
    const { id: instanceId } = await this.instances.get(operation, asked.instanceId);
    const bucketMs = range.bucketSeconds * 1000;
    const length = range.lengthMs / bucketMs;
    const end = (Math.floor(operation.clock.now().getTime() / bucketMs) + 1) * bucketMs;
    const first = end - length * bucketMs;
    const rows = await operation.em.execute<HistoryRow[]>(
      ...historySql(range.source, {
        tenantId: operation.tenantId,
        instanceId,
        from: new Date(first),
        to: new Date(end),
        bucketSeconds: range.bucketSeconds,
        reachMs: rateReachMs(this.heartbeatSeconds),
      }),
    );
    const filled = new Map(rows.map((row) => [new Date(row.bucket).getTime(), row]));
    const buckets = Array.from({ length }, (_, at) => {
      const start = first + at * bucketMs;
      return bucketOf(new Date(start), filled.get(start), metrics);
    });
    const series = (metric: MetricName): Pairs | null =>
      metrics.includes(metric)
        ? buckets.map((bucket) => [bucket.start.getTime() / 1000, bucket[metric]?.mean ?? null])
        : null;
    return {
      instanceId,
      range: asked.range,
      source: range.source,
      bucketSeconds: range.bucketSeconds,
      metrics: { cpu: series('cpu'), mem: series('mem'), disk: series('disk'), net: series('net') },
      buckets,
    };
  }
}

function bucketOf(start: Date, row: HistoryRow | undefined, metrics: readonly MetricName[]): MetricsBucket {
  const band = (
    metric: MetricName,
    count = 0,
    sum?: number | null,
    min?: number | null,
    max?: number | null,
  ) => (metrics.includes(metric) && count > 0 ? bandOf(count, sum ?? 0, min ?? 0, max ?? 0) : null);
  return {
    start,
    cpu: band('cpu', row?.samples, row?.cpu_sum, row?.cpu_min, row?.cpu_max),
    mem: band('mem', row?.samples, row?.memory_sum, row?.memory_min, row?.memory_max),
    disk: band('disk', row?.samples, row?.disk_sum, row?.disk_min, row?.disk_max),
    net: band('net', row?.net_count, row?.net_sum, row?.net_min, row?.net_max),
  };
}

function bandOf(count: number, sum: number, min: number, max: number): MetricBand {
  return { mean: rounded(sum / count), min: rounded(min), max: rounded(max), count };
}

/** Two decimals are what anyone can use, and far less text. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
