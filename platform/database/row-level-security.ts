import pg from 'pg';

import { areaRoles } from './roles.js';

export type TablePrivilege = 'select' | 'insert' | 'update' | 'delete';

/** What each of the area's two roles may do with a table; row-level security narrows it to rows. */
export interface TableGrants {
  app?: readonly TablePrivilege[];
  jobs?: readonly TablePrivilege[];
}

const everything: readonly TablePrivilege[] = ['select', 'insert', 'update', 'delete'];

// A pooled connection keeps '' once the setting was made, and '' must mean "no tenant" as absence does.
const currentTenant = `nullif(current_setting('app.tenant_id', true), '')`;

/**
 * Statements for a table with a `tenant_id text` column: `<area>_app` reads and writes the rows of `app.tenant_id` only
 * and no rows without it, `<area>_jobs` those of all tenants. They come after `create table`.
 */
export function tenantTableSql(area: string, table: string, grants: TableGrants = {}): string[] {
  const name = qualified(area, table);
  const { app, jobs } = areaRoles(area);
  return [
    `alter table ${name} enable row level security`,
    // Without force the owner of the table, and whatever runs as it, would pass by the policies.
    `alter table ${name} force row level security`,
    `create policy app on ${name} to ${pg.escapeIdentifier(app)} using (tenant_id = ${currentTenant}) with check (tenant_id = ${currentTenant})`,
    `create policy jobs on ${name} to ${pg.escapeIdentifier(jobs)} using (true) with check (true)`,
    ...ownerPolicySql(area, table),
    ...grantSql(area, table, app, grants.app ?? everything),
    ...grantSql(area, table, jobs, grants.jobs ?? everything),
  ];
}

/**
 * Lets the role that runs the migration see all rows of a table whose row-level security is forced: migrations fill
 * columns, and SECURITY DEFINER functions look up a tenant. A superuser doesn't need it, the owner of a hosted
 * database does.
 */
export function ownerPolicySql(area: string, table: string): string[] {
  return [`create policy owner on ${qualified(area, table)} to current_user using (true) with check (true)`];
}

function grantSql(
  area: string,
  table: string,
  role: string,
  privileges: readonly TablePrivilege[],
): string[] {
  if (privileges.length === 0) return [];
  const to = pg.escapeIdentifier(role);
  const grant = `grant ${privileges.join(', ')} on ${qualified(area, table)} to ${to}`;
  if (!privileges.includes('insert')) return [grant];
  // Serial columns draw from sequences of their own; identity columns need no grant.
  return [grant, `grant usage on all sequences in schema ${pg.escapeIdentifier(area)} to ${to}`];
}

function qualified(area: string, table: string): string {
  return `${pg.escapeIdentifier(area)}.${pg.escapeIdentifier(table)}`;
}
