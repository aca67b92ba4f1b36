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
