import { arrayLiteral } from '#platform/database/array-literal.js';

import type { Row } from './ingest.rows.js';

// Of a time, since 1970: either side reads and writes a number much faster than a date.
const milliseconds = 'double precision';

/** What is written of an instance, by the types that its columns come in. */
export const rowColumns = {
  tenant_id: 'text',
  id: 'text',
  generation: 'integer',
  written_by: 'xid',
  last_seen_at: milliseconds,
  offline_at: milliseconds,
  announced_status: 'text',
  status_changed_at: milliseconds,
  reasons: 'jsonb',
  streaks: 'jsonb',
  sampled_at: milliseconds,
  sample_at: milliseconds,
  sequence: 'bigint',
  other_sequence: 'bigint',
  regressions: 'integer',
  regressed_at: milliseconds,
  clock_skew_seconds: 'double precision',
  clock_shift_seconds: 'double precision',
  version: 'text',
  apps_count: 'integer',
  cpu_percent: 'double precision',
  memory_percent: 'double precision',
  disk_percent: 'double precision',
  cpu_cores: 'integer',
  memory_gb: 'double precision',
  tells_storage: 'boolean',
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
  facts_reported_at: milliseconds,
} as const;

const names = Object.keys(rowColumns) as (keyof typeof rowColumns)[];

/** The rows as the statement takes them: column by column, of which PostgreSQL has half the work that it has with JSON. */
export function arraysOf(rows: readonly Row[]): string[] {
  return names.map((name) => arrayLiteral(rows.map((row) => row[name])));
}
