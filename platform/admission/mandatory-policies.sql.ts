import { tenantTableSql } from '../database/row-level-security.js';

/** The table of mandatory-policies.consumer.ts. */
export function mandatoryPoliciesTableSql(area: string): string[] {
  return [
    `create table ${area}.mandatory_policies (
      tenant_id text primary key,
      version bigint not null,
      count integer not null
    )`,
    ...tenantTableSql(area, 'mandatory_policies', { app: ['select'] }),
  ];
}
