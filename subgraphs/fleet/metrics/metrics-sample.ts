import { Field, Float, ID, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

const rate = 'over the interval before the beat; null until two beats tell, and after a gap.';

@ObjectType({ description: 'What one beat of an instance measured.' })
export class MetricsSample {
  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => DateTime, { description: 'When the beat came, by server time.' })
  timestamp!: Date;

  @Field(() => Float, { nullable: true, description: 'CPU in use, 0 to 100; null when the beat told none.' })
  cpuPercent!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Memory in use, 0 to 100; null when the beat told none.',
  })
  memoryPercent!: number | null;

  @Field(() => Float, { nullable: true, description: 'Disk in use, 0 to 100; null when the beat told none.' })
  diskPercent!: number | null;

  @Field(() => Float, { nullable: true, description: `Bytes received per second, ${rate}` })
  netRxBytesPerSecond!: number | null;

  @Field(() => Float, { nullable: true, description: `Bytes sent per second, ${rate}` })
  netTxBytesPerSecond!: number | null;

  @Field(() => Float, { nullable: true, description: 'Load average over one minute.' })
  loadAverage!: number | null;

  @Field(() => Float, { nullable: true, description: 'Seconds since the node started.' })
  uptimeSeconds!: number | null;
}

/** What an instance's row holds of its newest beat. */
export interface MeasuredRow {
  id: string;
  /** Text where the driver leaves it so. */
  last_seen_at: Date | string;
  cpu_percent: number | null;
  memory_percent: number | null;
  disk_percent: number | null;
  net_rx_bytes_per_second: number | null;
  net_tx_bytes_per_second: number | null;
  load_average: number | null;
  uptime_seconds: number | null;
}

export const measuredColumns = `id, last_seen_at, cpu_percent, memory_percent, disk_percent,
  net_rx_bytes_per_second, net_tx_bytes_per_second, load_average, uptime_seconds`;

export function sampleOf(row: MeasuredRow): MetricsSample {
  return {
    instanceId: row.id,
    timestamp: new Date(row.last_seen_at),
    cpuPercent: row.cpu_percent,
    memoryPercent: row.memory_percent,
    diskPercent: row.disk_percent,
    netRxBytesPerSecond: row.net_rx_bytes_per_second,
    netTxBytesPerSecond: row.net_tx_bytes_per_second,
    loadAverage: row.load_average,
    uptimeSeconds: row.uptime_seconds,
  };
}
