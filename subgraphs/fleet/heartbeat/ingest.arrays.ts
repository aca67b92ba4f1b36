import { arrayLiteral } from '#platform/database/array-literal.js';

import type { Row } from './ingest.rows.js';

/** What is written of an instance, by the types of its columns. */
export const rowColumns = {
  tenant_id: 'text',
  id: 'text',
  generation: 'integer',
  written_by: 'xid',
  last_seen_at: 'timestamptz',
  offline_at: 'timestamptz',
  announced_status: 'text',
  status_changed_at: 'timestamptz',
  reasons: 'jsonb',
  streaks: 'jsonb',
  sampled_at: 'timestamptz',
  sample_at: 'timestamptz',
  sequence: 'bigint',
  other_sequence: 'bigint',
  regressions: 'integer',
  regressed_at: 'timestamptz',
  clock_skew_seconds: 'double precision',
  clock_shift_seconds: 'double precision',
  version: 'text',
  apps_count: 'integer',
  cpu_percent: 'double precision',
  memory_percent: 'double precision',
  disk_percent: 'double precision',
  cpu_cores: 'integer',
  memory_gb: 'double precision',
  storage_used_gb: 'double precision',
  net_rx_bytes: 'double precision',
  net_tx_bytes: 'double precision',
  net_rx_bytes_per_second: 'double precision',
  net_tx_bytes_per_second: 'double precision',
  load_average: 'double precision',
  uptime_seconds: 'double precision',
  health: 'jsonb',
  facts: 'jsonb',
  facts_digest: 'text',
  facts_reported_at: 'timestamptz',
} as const;

const names = Object.keys(rowColumns) as (keyof typeof rowColumns)[];

/** The rows as the statement takes them: column by column, which PostgreSQL reads in half the time that JSON takes it. */
export function arraysOf(rows: readonly Row[]): string[] {
  return names.map((name) => arrayLiteral(rows.map((row) => row[name])));
}
