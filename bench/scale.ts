import { Pool } from 'undici';

import { registerTenant, seedAlerts, seedInstances, settle } from './support/fleet.js';
import { fixed, publish, type Figure } from './support/report.js';
import { build, openStage, type Stage } from './support/stage.js';
import { median } from './support/stats.js';

const sizes = [1_000, 10_000, 100_000];
const rounds = 14;
const discarded = 2;
const requestsPerRound = 8;

const questions = [
  ['summary', '/api/fleet/summary'],
  ['health page', '/api/fleet/health?limit=50'],
  ['list page', '/api/fleet/instances?limit=50'],
  ['list page, degraded ones', '/api/fleet/instances?limit=50&status=degraded'],
  ['list page, offline ones', '/api/fleet/instances?limit=50&status=offline'],
  ['alerts page', '/api/fleet/alerts?limit=50'],
  ['alerts page, firing ones', '/api/fleet/alerts?limit=50&status=firing'],
] as const;

/** P6: what questions cost against the size of a tenant's fleet. Each size is a tenant beside the others. */
export async function scaleBench(): Promise<void> {
  build();
  const stage = await openStage();
  try {
    const panel = await stage.panel();
    const fleets: { size: number; token: string; tenantId: string }[] = [];
    let first = 0;
    for (const size of sizes) {
      const tenant = await registerTenant(panel.url);
      for (let from = 0; from < size; from += 10_000)
        await seedInstances(stage, tenant.tenantId, first + from, first + Math.min(size, from + 10_000));
      await seedAlerts(stage, tenant.tenantId);
      first += size;
      fleets.push({ size, ...tenant });
    }
    await settle(stage);
    // The sweep that folds the counts runs every two seconds.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    // What it folded came all at once, as no fleet does: autovacuum would have kept up.
    await stage.sql('vacuum (analyze) fleet.instance_count');
    const pool = new Pool(panel.url, { connections: 1, pipelining: 1 });
    const figures: Figure[] = [];
    const details: Record<string, unknown> = {};
    for (const [name, path] of questions) {
      const times = new Map<number, number[]>(sizes.map((size) => [size, []]));
      for (let round = 0; round < rounds; round += 1) {
        for (const { size, token } of round % 2 === 0 ? fleets : fleets.toReversed()) {
          const start = performance.now();
          for (let at = 0; at < requestsPerRound; at += 1) await get(pool, path, token);
          if (round >= discarded) times.get(size)!.push((performance.now() - start) / requestsPerRound);
        }
      }
      const medians = sizes.map((size) => median(times.get(size)!));
      const ratio = medians.at(-1)! / medians[0]!;
      details[name] = Object.fromEntries(times);
      figures.push({
        what: `${name}: ms at ${sizes.join(' / ')}`,
        value: medians.map((ms) => fixed(ms)).join(' / '),
      });
      figures.push({
        what: `  ${sizes.at(-1)} over ${sizes[0]}`,
        value: fixed(ratio),
        target: '<= 2',
        isMet: ratio <= 2,
      });
    }
    figures.push(...(await countingPeer(stage, fleets)));
    figures.push(...(await expiryCost(stage)));
    await pool.close();
    publish({
      name: 'scale',
      setup: `one request at a time over HTTP, medians of ${rounds - discarded} rounds`,
      figures,
      details,
    });
  } finally {
    await stage.stop();
  }
}

async function get(pool: Pool, path: string, token: string): Promise<void> {
  const answer = await pool.request({ path, method: 'GET', headers: { authorization: `Bearer ${token}` } });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`);
}

/** What the summary would cost if it counted instances each time, as it did at first. */
async function countingPeer(
  stage: Stage,
  fleets: readonly { size: number; tenantId: string }[],
): Promise<Figure[]> {
  const medians: number[] = [];
  for (const { tenantId } of fleets) {
    const times: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const start = performance.now();
      await stage.sql(
        `select count(*), count(*) filter (where status = 'OFFLINE'), sum(apps_count), sum(cpu_cores), sum(memory_gb)
         from (select case when offline_at <= now() then 'OFFLINE' else announced_status end as status,
           apps_count, cpu_cores, memory_gb from fleet.instance where tenant_id = $1) i`,
        [tenantId],
      );
      times.push(performance.now() - start);
    }
    medians.push(median(times));
  }
  return [
    {
      what: 'for comparison, counting each time: ms (SQL alone)',
      value: medians.map((ms) => fixed(ms)).join(' / '),
    },
  ];
}

/** What the expiry sweep would cost as a scan of all instances; the sweep itself reads what is due. */
async function expiryCost(stage: Stage): Promise<Figure[]> {
  const timed = async (sql: string): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const start = performance.now();
      await stage.sql(sql);
      times.push(performance.now() - start);
    }
    return median(times);
  };
  const indexed = await timed(
    `select count(*) from fleet.instance_expiry where check_at <= now() + interval '5 s'`,
  );
  const scan = await timed(
    `select count(*) from fleet.instance where announced_status <> 'OFFLINE' and offline_at <= now()`,
  );
  return [
    {
      what: 'finding what is due: indexed / scanning 111 000 rows (ms)',
      value: `${fixed(indexed)} / ${fixed(scan)}`,
    },
  ];
}
