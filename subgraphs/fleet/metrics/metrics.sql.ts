/**
 * One instance's samples from `from` (inclusive) to `to`, with the network rate between each and the one before: null
 * where that is further away than `reach`, or where a counter went down and so was reset. Made when it is read and not
 * when it is stored, so that the order in which samples arrived cannot matter.
 */
export function ratedSamples(of: {
  tenant: string;
  instance: string;
  from: string;
  to: string;
  reach: string;
  /** `from` less `reach`, where it is known beforehand: then only the partitions that are read are planned for. */
  early?: string;
}): string {
  return `(
    select at, cpu_percent, memory_percent, disk_percent,
      case when gap <= ${of.reach} and rx >= 0 and tx >= 0
        then (rx + tx) / date_part('epoch', gap) end as net
    from (
      select at, cpu_percent, memory_percent, disk_percent, at - lag(at) over earlier as gap,
        rx - lag(rx) over earlier as rx, tx - lag(tx) over earlier as tx
      from (
        select at, cpu_percent, memory_percent, disk_percent,
          ${counter('net_rx_bytes')} as rx, ${counter('net_tx_bytes')} as tx
        from fleet.metrics_sample
        where tenant_id = ${of.tenant} and instance_id = ${of.instance} and at >= ${of.early ?? `${of.from} - ${of.reach}`} and at < ${of.to}
      ) counters
      window earlier as (order by at)
    ) readings
    where at >= ${of.from}
  )`;
}

// As beats are checked today. A sample stored before they were must not make a rate overflow, or come to less than
// floats can tell: PostgreSQL fails the whole statement for either.
function counter(column: string): string {
  return `least(trunc(${column}), ${Number.MAX_SAFE_INTEGER})`;
}

const sketched = [
  ['cpu', 'cpu_percent'],
  ['memory', 'memory_percent'],
  ['disk', 'disk_percent'],
  ['net', 'net'],
] as const;

/** What tells percentiles apart: wide, and so read only where they are asked for. */
export const sketchColumns = sketched.map(([name]) => `${name}_sketch`).join(', ');

/** Sketches of rated samples. */
export const sketchesOfSamples = sketched
  .map(([name, reading]) => `fleet.sketch(array_agg(${reading})) as ${name}_sketch`)
  .join(', ');

/** Those of finer buckets one behind the other, which is enough to tell a percentile. */
export const sketchesOfRollups = sketched
  .map(([name]) => `fleet.concatenated(${name}_sketch) as ${name}_sketch`)
  .join(', ');

/** The same put together, as they are stored. */
export const mergedSketches = sketched
  .map(([name]) => `fleet.merged_sketch(fleet.concatenated(${name}_sketch)) as ${name}_sketch`)
  .join(', ');

/** Percentiles of rated samples, which need no sketch. */
export const p95OfSamples = sketched
  .map(([name, reading]) => `percentile_disc(0.95) within group (order by ${reading}) as ${name}_p95`)
  .join(', ');

/** The columns of a rollup, but for its sketches. */
export const rollupColumns = `samples, cpu_count, memory_count, disk_count, cpu_sum, cpu_min, cpu_max, memory_sum, memory_min, memory_max,
  disk_sum, disk_min, disk_max, net_count, net_sum, net_min, net_max`;

/** A rollup's columns from rated samples. */
export const rollupOfSamples = `count(*)::int as samples, count(cpu_percent)::int as cpu_count,
  count(memory_percent)::int as memory_count, count(disk_percent)::int as disk_count,
  sum(cpu_percent) as cpu_sum, min(cpu_percent) as cpu_min, max(cpu_percent) as cpu_max,
  sum(memory_percent) as memory_sum, min(memory_percent) as memory_min, max(memory_percent) as memory_max,
  sum(disk_percent) as disk_sum, min(disk_percent) as disk_min, max(disk_percent) as disk_max,
  count(net)::int as net_count, sum(net) as net_sum, min(net) as net_min, max(net) as net_max`;

/**
 * A rollup's columns from those of finer buckets. A mean of means would be wrong; sums and counts are not. One without a
 * count of a metric is from when every sample had all three.
 */
export const rollupOfRollups = `sum(samples)::int as samples, sum(coalesce(cpu_count, samples))::int as cpu_count,
  sum(coalesce(memory_count, samples))::int as memory_count, sum(coalesce(disk_count, samples))::int as disk_count,
  sum(cpu_sum) as cpu_sum, min(cpu_min) as cpu_min, max(cpu_max) as cpu_max,
  sum(memory_sum) as memory_sum, min(memory_min) as memory_min, max(memory_max) as memory_max,
  sum(disk_sum) as disk_sum, min(disk_min) as disk_min, max(disk_max) as disk_max,
  sum(net_count)::int as net_count, sum(net_sum) as net_sum, min(net_min) as net_min, max(net_max) as net_max`;

/**
 * Puts a remade bucket in the place of the stored one. Samples are only ever added, so one that was made from fewer
 * comes from raw data that is no longer all there, and must not replace what was made from all of it.
 */
export function replaceUnlessFewer(table: string): string {
  const columns = `${rollupColumns}, ${sketchColumns}`.split(',').map((name) => name.trim());
  return `do update set ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}
    where excluded.samples >= ${table}.samples`;
}
