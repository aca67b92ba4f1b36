import { tenantTableSql } from '../database/row-level-security.js';

/** The answers that one area keeps for clients which repeat a call because they never heard the first answer. */
export function idempotencyTableSql(area: string): string[] {
  return [
    `create table ${area}.idempotency_key (
      tenant_id text not null,
      key text not null,
      fingerprint text not null,
      response jsonb,
      expires_at timestamptz not null,
      primary key (tenant_id, key)
    )`,
    `create index idempotency_key_expires_at on ${area}.idempotency_key (expires_at)`,
    ...tenantTableSql(area, 'idempotency_key'),
  ];
}
