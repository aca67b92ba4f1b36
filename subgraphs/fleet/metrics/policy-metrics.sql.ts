/** What policies may be about, as governance's catalogue names it, and how it is told of an instance. */
const latest: Readonly<Record<string, string>> = {
  'metrics.cpu.latest': 'i.cpu_percent',
  'metrics.memory.latest': 'i.memory_percent',
  'metrics.disk.latest': 'i.disk_percent',
  'metrics.load.latest': 'i.load_average',
  'metrics.uptime.latest': 'i.uptime_seconds',
  'metrics.net_rx.latest': 'i.net_rx_bytes_per_second',
  'metrics.net_tx.latest': 'i.net_tx_bytes_per_second',
};

const measured = ['cpu', 'memory', 'disk'] as const;
const lastHour: Readonly<Record<string, string>> = Object.fromEntries(
  measured.map((name) => [`metrics.${name}.avg_1h`, `h.${name}`]),
);
const lastDay: Readonly<Record<string, string>> = Object.fromEntries(
  measured.map((name) => [`metrics.${name}.avg_24h`, `d.${name}`]),
);

const hour = `left join lateral (
    select ${measured.map((name) => `avg(s.${name}_percent) as ${name}`).join(', ')}
    from fleet.metrics_sample s
    where s.tenant_id = i.tenant_id and s.instance_id = i.id and s.at > ?::timestamptz - interval '1 hour'
      and s.at <= ?::timestamptz) h on true`;

// As rollups hold them: hours that are not over yet are not among them.
const day = `left join lateral (
    select ${measured
      .map((name) => `sum(r.${name}_sum) / nullif(sum(coalesce(r.${name}_count, r.samples)), 0) as ${name}`)
      .join(', ')}
    from fleet.metrics_hourly r
    where r.tenant_id = i.tenant_id and r.instance_id = i.id
      and r.hour >= date_trunc('hour', ?::timestamptz, 'UTC') - interval '24 hours'
      and r.hour < date_trunc('hour', ?::timestamptz, 'UTC')) d on true`;

/**
 * The instances of a tenant that have beaten lately, with what is asked for of each: a statement, and whether it takes the
 * time for each of its windows. Undefined when nothing is known that is asked for.
 */
export function readMeasured(paths: readonly string[]): { sql: string; windows: number } | undefined {
  const columns = { ...latest, ...lastHour, ...lastDay };
  const known = paths.filter((path) => columns[path] !== undefined);
  if (known.length === 0) return undefined;
  const [hasHour, hasDay] = [lastHour, lastDay].map((window) => known.some((path) => path in window));
  const pairs = known.map((path) => `'${path}', ${columns[path]}`).join(', ');
  return {
    sql: `select i.id, i.last_seen_at as at, jsonb_strip_nulls(jsonb_build_object(${pairs})) as metrics,
        i.last_seen_at > ?::timestamptz as "isHeard"
      from (select * from fleet.instance where tenant_id = ? and id > ? order by id limit ?) i
      ${hasHour ? hour : ''} ${hasDay ? day : ''} order by i.id`,
    windows: Number(hasHour) + Number(hasDay),
  };
}
