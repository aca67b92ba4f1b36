import type { Operation } from '#platform/subgraph/operation.js';

import type { InstanceService } from '../instance/instance.service.js';
import { rounded } from '../reported/figures.js';
import { historyRange, metricsAsked, type MetricName } from './history-range.js';
import { historySql, type HistoryRow } from './history.sql.js';
import type { MetricBand, MetricsBucket, MetricsHistory, Pairs } from './metrics-history.js';
import { p95Of } from './sketch.js';
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
    asked: {
      instanceId: string;
      range: string;
      metric?: string | null;
      /** Of which metrics percentiles are wanted, if they are shown. */
      percentiles: readonly MetricName[];
    },
  ): Promise<MetricsHistory> {
    const range = historyRange(asked.range, this.heartbeatSeconds);
    const metrics = metricsAsked(asked.metric);
    const { id: instanceId } = await this.instances.get(operation, asked.instanceId);
    const bucketMs = range.bucketSeconds * 1000;
    const length = range.lengthMs / bucketMs;
    const end = (Math.floor(operation.clock.now().getTime() / bucketMs) + 1) * bucketMs;
    const first = end - length * bucketMs;
    const { database, tenantId, mayLag } = operation;
    const [sql, values] = historySql(range.source, {
      tenantId,
      instanceId,
      from: new Date(first),
      to: new Date(end),
      bucketSeconds: range.bucketSeconds,
      reachMs: rateReachMs(this.heartbeatSeconds),
      isWithPercentiles: asked.percentiles.some((name) => metrics.includes(name)),
    });
    const rows = await database.select<HistoryRow>(tenantId, sql, values, { mayLag });
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
  const band = (metric: MetricName, column: 'cpu' | 'memory' | 'disk' | 'net') =>
    row && metrics.includes(metric) ? bandOf(row, column) : null;
  return {
    start,
    cpu: band('cpu', 'cpu'),
    mem: band('mem', 'memory'),
    disk: band('disk', 'disk'),
    net: band('net', 'net'),
  };
}

function bandOf(row: HistoryRow, column: 'cpu' | 'memory' | 'disk' | 'net'): MetricBand | null {
  const count = row[`${column}_count`] ?? row.samples;
  if (count === 0) return null;
  const [sum, min, max] = [row[`${column}_sum`] ?? 0, row[`${column}_min`] ?? 0, row[`${column}_max`] ?? 0];
  const p95 = row[`${column}_p95`] ?? p95Of(row[`${column}_sketch`] ?? [], count);
  // As people read them: percents with one decimal, bytes per second whole.
  const figure = (value: number) => rounded(value, column === 'net' ? 0 : 1);
  return {
    mean: figure(sum / count),
    min: figure(min),
    max: figure(max),
    // The middle of a sketch's bucket may be beyond all that is in it.
    p95: p95 === null ? null : figure(Math.min(max, Math.max(min, p95))),
    count,
  };
}
