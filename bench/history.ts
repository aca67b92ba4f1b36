import pg from 'pg';

import { historyRange } from '#subgraphs/fleet/metrics/history-range.js';
import { historySql } from '#subgraphs/fleet/metrics/history.sql.js';
import { rateReachMs } from '#subgraphs/fleet/metrics/tiers.js';

import { onCpuMs } from './support/cpu.js';
import { instanceId, tenantId } from './support/fleet.js';
import { fixed, publish, type Figure } from './support/report.js';
import { openStage, type Stage } from './support/stage.js';
import { median, quantile } from './support/stats.js';

const instances = 10_000;
const dailyDays = 90;
const hourlyDays = 32;
/** Of so many instances, which are those asked about, the raw samples of the last 12 hours are there, of each at a beat every 30 seconds. */
const rawInstances = 1_000;
const rawHours = 12;
const rounds = 60;

const heartbeatSeconds = 30;
const ranges = ['1h', '6h', '24h', '7d', '30d', '3mo', '6h with p95', '30d with p95', '3mo with p95'].map(
  (name) => [name, historyRange(name.split(' ')[0]!, heartbeatSeconds)] as const,
);
/** What nobody asks for who draws a chart is beyond the target of the ranges. */
const isWithPercentiles = (name: string) => name.endsWith('p95');

/** P7: each range for one instance among 10 000, read as the panel reads it: as its tenant, under row-level security. */
export async function historyBench(): Promise<void> {
  const stage = await openStage();
  try {
    await seedMetrics(stage);
    const client = new pg.Client({ connectionString: stage.url });
    await client.connect();
    await client.query(`set role fleet_app`);
    await client.query(`select set_config('app.tenant_id', $1, false)`, [tenantId(0)]);
    const times = new Map<string, number[]>(ranges.map(([name]) => [name, []]));
    const cpuTimes = new Map<string, number[]>(ranges.map(([name]) => [name, []]));
    const { rows: own } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const serverPid = own[0]!.pid;
    const clientTimes = new Map<string, number[]>(ranges.map(([name]) => [name, []]));
    const now = Date.now();
    for (let round = 0; round < rounds + 5; round += 1) {
      for (const [name, { source, lengthMs, bucketSeconds }] of ranges) {
        // The same ones for all ranges: those whose current hour is still to be made from raw samples.
        const instance = instanceId((round * 7_919) % rawInstances);
        const end = (Math.floor(now / 1000 / bucketSeconds) + 1) * bucketSeconds;
        const [sql, values] = historySql(source, {
          tenantId: tenantId(0),
          instanceId: instance,
          from: new Date(end * 1000 - lengthMs),
          to: new Date(end * 1000),
          bucketSeconds,
          reachMs: rateReachMs(heartbeatSeconds),
          isWithPercentiles: isWithPercentiles(name),
        });
        let parameter = 0;
        const text = sql.replace(/\?/g, () => `$${(parameter += 1)}`);
        const cpuBefore = onCpuMs(serverPid);
        const start = performance.now();
        const { rowCount } = await client.query(text, values);
        const ms = performance.now() - start;
        if (!rowCount) throw new Error(`${name} answered nothing`);
        if (round < 5) continue;
        clientTimes.get(name)!.push(ms);
        cpuTimes.get(name)!.push(onCpuMs(serverPid) - cpuBefore);
        times.get(name)!.push(await databaseTime(client, text, values));
      }
    }
    await client.end();
    const oneHour = median(times.get('1h')!);
    const oneHourCpu = median(cpuTimes.get('1h')!);
    const figures: Figure[] = [];
    for (const [name] of ranges) {
      const ms = times.get(name)!;
      const ratio = median(ms) / oneHour;
      const p95 = quantile(ms, 0.95);
      const cpu = median(cpuTimes.get(name)!);
      figures.push({
        what: `${name}: median / p95 (ms), ratio to 1h; CPU of the server, ratio; with the driver`,
        value: `${fixed(median(ms))} / ${fixed(p95)}, ${fixed(ratio)}; ${fixed(cpu)}, ${fixed(cpu / oneHourCpu)}; ${fixed(median(clientTimes.get(name)!))}`,
        target: isWithPercentiles(name) ? 'p95 < 20 ms' : '<= 3, p95 < 20 ms',
        isMet: (isWithPercentiles(name) || ratio <= 3) && p95 < 20,
      });
    }
    figures.push(await fromRawPeer(stage));
    publish({
      name: 'history',
      setup: `${instances} instances with ${dailyDays} days daily and ${hourlyDays} days hourly, ${rawInstances} of them with ${rawHours} h raw; planning and execution in the database`,
      figures,
      details: { times: Object.fromEntries(times), cpu: Object.fromEntries(cpuTimes) },
    });
  } finally {
    await stage.stop();
  }
}

/** Planning and execution, as the server tells them. */
async function databaseTime(client: pg.Client, text: string, values: unknown[]): Promise<number> {
  const { rows } = await client.query<{
    'QUERY PLAN': [{ 'Planning Time': number; 'Execution Time': number }];
  }>(`explain (analyze, timing off, format json) ${text}`, values);
  const [plan] = rows[0]!['QUERY PLAN'];
  return plan['Planning Time'] + plan['Execution Time'];
}

/** 24 hours from raw samples would read 2 880 rows; half of that is there. */
async function fromRawPeer(stage: Stage): Promise<Figure> {
  const times: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const start = performance.now();
    await stage.sql(
      `select date_bin('1 hour', at, 'epoch'), avg(cpu_percent), min(cpu_percent), max(cpu_percent)
       from fleet.metrics_sample where tenant_id = $1 and instance_id = $2 and at >= now() - interval '12 hours' group by 1`,
      [tenantId(0), instanceId((round * 37) % rawInstances)],
    );
    times.push(performance.now() - start);
  }
  return { what: 'for comparison, 12h of one metric from raw: median (ms)', value: fixed(median(times)) };
}

const spread = (low: number, high: number) =>
  `'{${Array.from({ length: high - low }, (_, at) => `{${low + at},3}`).join()}}'`;
// As wide as those of a busy node: the CPU between 10 and 40 %, memory between 38 and 45, the network within a factor of 2.
const measures = `10 + random() * 80 * 120, 10, 90, 40 * 120, 30, 50, 30 * 120, 30, 30, 120, 1e5, 0, 1e4,
  ${spread(58, 93)}, ${spread(91, 96)}, ${spread(85, 86)}, ${spread(210, 228)}`;

async function seedMetrics(stage: Stage): Promise<void> {
  const ids = `'inst_' || lpad(i::text, 26, '0')`;
  await stage.sql(
    `insert into fleet.metrics_daily select $1, ${ids}, d, 2880, ${measures}
     from generate_series(date_trunc('day', now(), 'UTC') - interval '${dailyDays} days', now(), interval '1 day') d,
       generate_series(0, ${instances - 1}) i`,
    [tenantId(0)],
  );
  // Partitions of a week, as the sweep makes them.
  for (let week = -5; week <= 0; week += 1) {
    await stage.sql(
      `select fleet.add_partition('metrics_hourly', (date_trunc('week', now(), 'UTC') + $1 * interval '7 days')::date,
         (date_trunc('week', now(), 'UTC') + ($1 + 1) * interval '7 days')::date)`,
      [week],
    );
  }
  await stage.sql(
    `insert into fleet.metrics_hourly select $1, ${ids}, h, 120, ${measures}
     from generate_series(date_trunc('hour', now(), 'UTC') - interval '${hourlyDays} days', date_trunc('hour', now(), 'UTC') - interval '1 hour', interval '1 hour') h,
       generate_series(0, ${instances - 1}) i`,
    [tenantId(0)],
  );
  for (const day of [-1, 0, 1]) {
    await stage.sql(
      `select fleet.add_partition('metrics_sample', current_date + $1::int, current_date + $1::int + 1)`,
      [day],
    );
  }
  // In the order of time over all instances, as beats come: one instance's rows are on pages apart.
  await stage.sql(
    `insert into fleet.metrics_sample select $1, ${ids}, t + i * interval '1 ms', 10 + random() * 80, 40, 30,
       extract(epoch from t) * 1000, extract(epoch from t) * 500, 0.5
     from generate_series(now() - interval '${rawHours} hours', now(), interval '30 seconds') t,
       generate_series(0, ${rawInstances - 1}) i`,
    [tenantId(0)],
  );
  await stage.sql(
    `insert into fleet.metrics_dirty select $1, ${ids}, date_trunc('hour', now(), 'UTC') from generate_series(0, ${rawInstances - 1}) i`,
    [tenantId(0)],
  );
  await stage.sql('vacuum (analyze) fleet.metrics_daily');
  await stage.sql('vacuum (analyze) fleet.metrics_hourly');
  await stage.sql('vacuum (analyze) fleet.metrics_sample');
  await stage.sql('checkpoint');
}
