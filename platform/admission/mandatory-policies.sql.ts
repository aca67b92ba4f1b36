import { tenantTableSql } from '../database/row-level-security.js';

/** The table of mandatory-policies.consumer.ts. Areas have applied it: its text stays as it is. */
export function mandatoryPoliciesTableSql(area: string): string[] {
  const columns = ['tenant_id text primary key', 'version bigint not null', 'count integer not null'];
  return [
    `create table ${area}.mandatory_policies (\n    ${columns.join(',\n    ')}\n  )`,
    ...tenantTableSql(area, 'mandatory_policies', { app: ['select'] }),
  ];
}
