import { ownerPolicySql } from '../database/row-level-security.js';

/** The tenants that an area is about to erase; nobody but the jobs role sees them. */
export function erasureTableSql(area: string): string[] {
  return [
    `create table ${area}.erasure (
      id text primary key,
      erased_tenant_id text not null,
      -- The tenant whose export it becomes.
      told_to text not null,
      caused_by text not null,
      parts integer not null default 0,
      report jsonb not null default '{}'
    )`,
    `alter table ${area}.erasure enable row level security`,
    `alter table ${area}.erasure force row level security`,
    `create policy jobs on ${area}.erasure to ${area}_jobs using (true) with check (true)`,
    ...ownerPolicySql(area, 'erasure'),
    `grant select, insert, update, delete on ${area}.erasure to ${area}_jobs`,
  ];
}
