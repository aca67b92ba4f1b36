import type { Sweep } from '#platform/membership/sweep.js';

// Of two lines that are as common the older one counts, so that the first half of an upgrade degrades nobody.
const findBaselines = `with lines as (
    select tenant_id, (parts)[1]::int as major, (parts)[2]::int as minor, count(*) as instances
    from (
      select tenant_id, regexp_match(version, '^v?(\\d{1,6})\\.(\\d{1,6})(?:\\D|$)') as parts
      from fleet.instance where announced_status <> 'OFFLINE'
    ) versions
    where parts is not null
    group by tenant_id, major, minor
  )
  insert into fleet.version_baseline (tenant_id, major, minor)
  select distinct on (tenant_id) tenant_id, major, minor from lines
  order by tenant_id, instances desc, major, minor
  on conflict (tenant_id) do update set major = excluded.major, minor = excluded.minor
    where (version_baseline.major, version_baseline.minor) <> (excluded.major, excluded.minor)`;

/** Finds the line of versions that most of each tenant's connected instances run; older ones are told of it. */
export const versionBaselineSweep: Sweep = {
  name: 'version-baseline.find',
  everyMs: 60_000,
  due: 'select from fleet.instance',
  async run({ em }) {
    await em.execute(findBaselines);
    return 'done';
  },
};
