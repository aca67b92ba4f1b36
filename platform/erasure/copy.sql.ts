import { ownerPolicySql } from '../database/row-level-security.js';

/** Exports of tenants that live, which an area is about to make its part of; nobody but the jobs role sees them. */
export function copyTableSql(area: string): string[] {
  return [
    `create table ${area}.copy (
      id text primary key,
      copied_tenant_id text not null,
      caused_by text not null,
      parts integer not null default 0,
      -- Where it goes on: the table, and the key of the last row of it that was taken.
      source_table text,
      after_key jsonb,
      report jsonb not null default '{}'
    )`,
    `alter table ${area}.copy enable row level security`,
    `alter table ${area}.copy force row level security`,
    `create policy jobs on ${area}.copy to ${area}_jobs using (true) with check (true)`,
    ...ownerPolicySql(area, 'copy'),
    `grant select, insert, update, delete on ${area}.copy to ${area}_jobs`,
  ];
}
