/** How far an area has told what its tenants use in the hour that runs: the last tenant told, null when all are. */
export function usageHourSql(area: string): string[] {
  return [
    `create table ${area}.usage_hour (
      is_only boolean primary key default true check (is_only),
      hour timestamptz not null,
      told_to text
    )`,
    `grant select, insert, update on ${area}.usage_hour to ${area}_jobs`,
  ];
}
