import express from 'express';
import pg from 'pg';

import { cpuSeconds, residentMb } from './support/cpu.js';
import { registerTenant, seedInstances, settle, signIns } from './support/fleet.js';
import { Load } from './support/load.js';
import { fixed, publish, type Figure } from './support/report.js';
import { build, freePort, openStage, type Stage } from './support/stage.js';
import { abba, median, pairedRatio } from './support/stats.js';

const roundMs = 1_500;
const signedIn = 64;
/** Memory is flat when the measured rounds leave no more than this much more of it in use than they found. */
const flat = 1.15;

/** P4: GET /api/fleet/instances at 8 and at 10 000 instances against a hand-written Express + pg handler. */
export async function restBench(): Promise<void> {
  build();
  const stage = await openStage();
  try {
    const panel = await stage.panel();
    const figures: Figure[] = [];
    const details: Record<string, unknown> = {};
    let first = 0;
    for (const [size, target] of [
      [8, 0.5],
      [10_000, 0.8],
    ] as const) {
      const tenant = await registerTenant(panel.url);
      await seedInstances(stage, tenant.tenantId, first, first + size);
      first += size;
      await settle(stage);
      const plain = await startPlainHandler(stage, tenant.tenantId);
      const tokens = await signIns(panel.url, tenant, signedIn);
      const request = (sequence: number) => ({
        path: '/api/fleet/instances',
        method: 'GET' as const,
        headers: { authorization: `Bearer ${tokens[sequence % tokens.length]}` },
      });
      await expectSameBytes(panel.url, plain.url, tenant.token);
      const connections = size > 100 ? 2 : 8;
      const ours = new Load(panel.url, connections, request);
      const theirs = new Load(plain.url, connections, request);
      const memory: number[] = [];
      const measured = (load: Load) => async () => {
        const before = cpuSeconds(panel.pid);
        const { rate, p50, failures, answered } = await load.run(roundMs);
        if (failures > 0) throw new Error(`${failures} requests failed`);
        memory.push(residentMb(panel.pid));
        return { rate, p50, cpuMs: ((cpuSeconds(panel.pid) - before) * 1000) / answered };
      };
      const found = await abba(
        { name: 'panel', round: measured(ours) },
        { name: 'plain', round: measured(theirs) },
      );
      // Of both contenders' rounds, after those that are left out as a warm-up.
      const measuredMemory = memory.slice(4);
      const quarter = Math.ceil(measuredMemory.length / 4);
      const memoryGrowth = median(measuredMemory.slice(-quarter)) / median(measuredMemory.slice(0, quarter));
      const ratio = pairedRatio(
        found.a.map(({ rate }) => rate),
        found.b.map(({ rate }) => rate),
      );
      figures.push(
        {
          what: `${size} instances: requests/s of the panel`,
          value: fixed(median(found.a.map(({ rate }) => rate)), 1),
        },
        {
          what: `${size} instances: requests/s of Express + pg`,
          value: fixed(median(found.b.map(({ rate }) => rate)), 1),
        },
        {
          what: `${size} instances: panel / plain`,
          value: fixed(ratio),
          target: `>= ${target}`,
          isMet: ratio >= target,
        },
        {
          what: `${size} instances: CPU of the panel per request (ms)`,
          value: fixed(median(found.a.map(({ cpuMs }) => cpuMs))),
        },
        {
          what: `${size} instances: memory of the panel, MB (last rounds / first)`,
          value: `${median(measuredMemory.slice(-quarter))} (${fixed(memoryGrowth)})`,
          target: `flat: <= ${flat}`,
          isMet: memoryGrowth <= flat,
        },
      );
      details[String(size)] = { ...found, memory };
      await ours.stop();
      await theirs.stop();
      await plain.stop();
    }
    publish({
      name: 'rest',
      setup: `GET /api/fleet/instances over 8 connections (2 for 10 000 instances), the same bytes from both; the load and the peer share a process`,
      figures,
      details,
    });
  } finally {
    await stage.stop();
  }
}

async function expectSameBytes(ours: string, theirs: string, token: string): Promise<void> {
  const [a, b] = await Promise.all(
    [ours, theirs].map(async (url) =>
      (await fetch(`${url}/api/fleet/instances`, { headers: { authorization: `Bearer ${token}` } })).text(),
    ),
  );
  if (a !== b) throw new Error(`the answers differ: ${a!.slice(0, 300)} ... ${b!.slice(0, 300)}`);
}

/** What one would write by hand: one query, one JSON.stringify. No tokens, no row-level security. */
async function startPlainHandler(
  stage: Stage,
  tenant: string,
): Promise<{ url: string; stop(): Promise<void> }> {
  const pool = new pg.Pool({ connectionString: stage.ownerUrl, max: 8 });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/api/fleet/instances', async (_request, response) => {
    const { rows } = await pool.query(
      `select id, name, hostname, version,
         lower(case when offline_at <= now() then 'OFFLINE' else announced_status end) as status,
         apps_count, cpu_percent, memory_percent,
         to_char(last_seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_seen
       from fleet.instance where tenant_id = $1 order by id`,
      [tenant],
    );
    response.json(rows);
  });
  const port = await freePort();
  const server = app.listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.end();
    },
  };
}
