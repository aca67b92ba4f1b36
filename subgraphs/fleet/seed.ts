import type { Database } from '#platform/database/database.js';

import {
  mergedSketches,
  rollupColumns,
  rollupOfRollups,
  rollupOfSamples,
  sketchColumns,
  sketchesOfSamples,
} from './metrics/metrics.sql.js';
import { dayMs, hourMs, keptMs } from './metrics/tiers.js';

/** A node whose past is made up: the figures that it wanders around. */
export interface SeededNode {
  id: string;
  cpuPercent: number;
  memoryPercent: number;
  diskPercent: number;
  netBytesPerSecond: number;
}

export interface Seeding {
  tenantId: string;
  nodes: readonly SeededNode[];
  now: Date;
}

const historyDays = 90;
const hourlyDays = 30;

// Up by day, down by night and at weekends, with noise that is the same for the same node and time; the disk fills up.
const wave = `sin(2 * pi() * (date_part('epoch', at) / 86400 - 0.33))`;
const week = `case when date_part('isodow', at) >= 6 then 0.7 else 1 end`;
const noise = (seed: string) => `((hashtext(n.id || '${seed}' || at::text) % 1000) / 1000.0)`;
const percent = (value: string) => `round(least(100, greatest(0, ${value}))::numeric, 1)::double precision`;

/** Readings of the nodes from `from` to `to`, in steps; the third and the fifth node were off for a while. */
const readings = (step: string) => `(
    select n.id, at,
      ${percent(`n.cpu * ${week} * (1 + 0.35 * ${wave} + 0.2 * ${noise('cpu')})`)} as cpu_percent,
      ${percent(`n.memory + 3 * ${wave} + 1.5 * ${noise('memory')}`)} as memory_percent,
      ${percent(`n.disk * (0.8 + 0.2 * date_part('epoch', at - t.now + interval '${historyDays} days') / ${(historyDays * dayMs) / 1000}) + 0.1 * ${noise('disk')}`)} as disk_percent,
      n.net * ${week} * (1 + 0.4 * ${wave} + 0.2 * ${noise('net')}) as net
    from (select ?::timestamptz as now, ?::timestamptz as low, ?::timestamptz as high) t
    cross join rows from (jsonb_to_recordset(?::jsonb) as (id text, cpu double precision, memory double precision,
      disk double precision, net double precision)) with ordinality as n (id, cpu, memory, disk, net, place)
    cross join generate_series(t.low, t.high - interval '${step}', interval '${step}') at
    where not (n.place = 3 and at between t.now - interval '37 days' and t.now - interval '36 days 18 hours')
      and not (n.place = 5 and at between t.now - interval '21 hours' and t.now - interval '20 hours 20 minutes')
  ) readings`;

const columns = `${rollupColumns}, ${sketchColumns}`;

const rollUp = (
  tier: 'hour' | 'day',
  step: string,
) => `insert into fleet.metrics_${tier === 'hour' ? 'hourly' : 'daily'}
    (tenant_id, instance_id, ${tier}, ${columns})
  select ?, id, date_trunc('${tier}', at, 'UTC'), ${rollupOfSamples}, ${sketchesOfSamples}
  from ${readings(step)} group by id, 3
  on conflict do nothing`;

const daysOfHours = `insert into fleet.metrics_daily (tenant_id, instance_id, day, ${columns})
  select tenant_id, instance_id, date_trunc('day', hour, 'UTC'), ${rollupOfRollups}, ${mergedSketches}
  from fleet.metrics_hourly
  where tenant_id = ? and instance_id in (select jsonb_array_elements_text(?::jsonb)) and hour >= ? and hour < ?
  group by 1, 2, 3
  on conflict do nothing`;

// Counters so high that those of the node itself, which come next, count as reset.
const samples = `insert into fleet.metrics_sample (tenant_id, instance_id, at, cpu_percent, memory_percent, disk_percent,
    net_rx_bytes, net_tx_bytes, load_average)
  select ?, id, at, cpu_percent, memory_percent, disk_percent, 1e13 + trunc(total * 0.6), 1e13 + trunc(total * 0.4),
    round((cpu_percent / 25)::numeric, 2)::double precision
  from (select *, sum(net * 60) over (partition by id order by at) as total from ${readings('1 minute')}) counted
  on conflict do nothing`;

const firstReal = `select min(at) as first from fleet.metrics_sample
  where tenant_id = ? and instance_id in (select jsonb_array_elements_text(?::jsonb))`;

const marks = `insert into fleet.metrics_dirty (tenant_id, instance_id, hour)
  select distinct tenant_id, instance_id, date_trunc('hour', at, 'UTC') from fleet.metrics_sample
  where tenant_id = ? and instance_id in (select jsonb_array_elements_text(?::jsonb)) and at >= ?
  on conflict do nothing`;

const unseeded = `select id from fleet.instance i
  where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb)) and not exists (
    select from fleet.metrics_daily d where d.tenant_id = i.tenant_id and d.instance_id = i.id and d.day < ?)`;

/**
 * Gives nodes 90 days of history that they have not lived through, for a panel to look at: samples of two days, rollups
 * of hours and of days before them. Those that have such a history are left alone, and what they really measured stays.
 * Answers how many were given one.
 */
export async function seedHistory(database: Database, { tenantId, nodes, now }: Seeding): Promise<number> {
  const dayOf = (ms: number) => new Date(Math.floor(ms / dayMs) * dayMs);
  const first = dayOf(now.getTime() - historyDays * dayMs);
  const firstHour = dayOf(now.getTime() - hourlyDays * dayMs);
  const firstSample = new Date(Math.ceil((now.getTime() - keptMs.raw) / hourMs) * hourMs);
  return database.forTenant(tenantId).transactional(async (em) => {
    const asked = JSON.stringify(nodes.map(({ id }) => id));
    const found = await em.execute<{ id: string }[]>(unseeded, [tenantId, asked, firstHour]);
    const chosen = nodes.filter(({ id }) => found.some((row) => row.id === id));
    if (chosen.length === 0) return 0;
    const ids = JSON.stringify(chosen.map(({ id }) => id));
    const rows = JSON.stringify(
      chosen.map((node) => ({
        id: node.id,
        cpu: node.cpuPercent,
        memory: node.memoryPercent,
        disk: node.diskPercent,
        net: node.netBytesPerSecond,
      })),
    );
    await em.execute(rollUp('day', '30 minutes'), [tenantId, now, first, firstHour, rows]);
    await em.execute(rollUp('hour', '10 minutes'), [tenantId, now, firstHour, firstSample, rows]);
    await em.execute(daysOfHours, [tenantId, ids, firstHour, dayOf(firstSample.getTime())]);
    // Counters that stood between those of the node itself would look like traffic.
    const [real] = await em.execute<{ first: Date | null }[]>(firstReal, [tenantId, ids]);
    const end = real?.first ?? now;
    await em.execute(samples, [tenantId, now, firstSample, end, rows]);
    // Their hours and days are rolled up as those of any samples are.
    await em.execute(marks, [tenantId, ids, firstSample]);
    await em.execute(
      `update fleet.instance set enrolled_at = least(enrolled_at, ?)
       where tenant_id = ? and id in (select jsonb_array_elements_text(?::jsonb))`,
      [first, tenantId, ids],
    );
    return chosen.length;
  });
}
