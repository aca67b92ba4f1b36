/** The tenants that an area is about to erase. Of the panel, not of a tenant: only the jobs role sees it. */
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
    `grant select, insert, update, delete on ${area}.erasure to ${area}_jobs`,
  ];
}
