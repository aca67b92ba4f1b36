import { tenantTableSql } from '../database/row-level-security.js';

/** One area's projection of what each tenant may use. No row means the Free plan. */
export function entitlementTableSql(area: string): string[] {
  return [
    `create table ${area}.entitlement (
      tenant_id text primary key,
      version bigint not null,
      plan text not null,
      features text[] not null,
      limits jsonb not null
    )`,
    ...tenantTableSql(area, 'entitlement', { app: ['select', 'insert', 'update'] }),
  ];
}

/** Whether nothing may be added until an overdue payment is made; a step of its own, for areas that have the table. */
export function entitlementReadOnlySql(area: string): string {
  return `alter table ${area}.entitlement add column is_read_only boolean not null default false`;
}
