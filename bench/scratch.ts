import 'reflect-metadata';
import { SqlEntityManager } from '@mikro-orm/postgresql';

import { systemClock } from '#platform/clock.js';
import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';
import { fleetEntities } from '#subgraphs/fleet/subgraph.js';

import { beatBody, instanceId, seedInstances, settle, tenantId } from './support/fleet.js';
import { openStage } from './support/stage.js';
const times = new Map<string, [number, number]>();
const original = SqlEntityManager.prototype.execute;
SqlEntityManager.prototype.execute = async function (this: any, ...args: any[]) {
  const t = performance.now();
  const r = await (original as any).apply(this, args);
  const k = String(args[0]).slice(0, 40).replace(/\s+/g, ' ');
  const e = times.get(k) ?? [0, 0];
  e[0] += performance.now() - t;
  e[1]++;
  times.set(k, e);
  return r;
} as any;
const stage = await openStage();
for (let t = 0; t < 60; t++) await seedInstances(stage, tenantId(t), t * 1000, (t + 1) * 1000);
await settle(stage);
const database = await Database.open({
  area: 'fleet',
  url: stage.url,
  entities: fleetEntities,
  poolSize: 2,
  logger: silentLogger,
});
const ingest = new HeartbeatIngest(database, systemClock, 30);
let seq = 0;
const size = Number(process.argv[2] ?? 500);
const n = Number(process.argv[3] ?? 60);
let measured = 0;
for (let b = 0; b < 12 + n; b++) {
  if (b === 12) {
    times.clear();
    measured = performance.now();
  }
  const rows = Array.from({ length: size }, () => {
    const i = (seq++ * 10) % 60000;
    const body = JSON.parse(beatBody(seq));
    return {
      node: {
        kind: 'node' as const,
        tenantId: tenantId(Math.floor(i / 1000)),
        instanceId: instanceId(i),
        generation: 1,
        expiresAt: 1e15,
        credentialExpiresAt: 1e15,
      },
      receivedAt: new Date(),
      requestId: 'b',
      beat: {
        cpuPercent: body.cpu_percent,
        memoryPercent: body.memory_percent,
        diskPercent: 30,
        appsCount: 3,
        cpuCores: 4,
        memoryGb: 16,
        version: '0.2.9',
        netRxBytes: body.net_rx_bytes,
        netTxBytes: body.net_tx_bytes,
        loadAverage: 0.5,
        uptimeSeconds: body.uptime_seconds,
        sequence: seq,
        sentAt: new Date(body.sent_at),
      },
    };
  });
  await ingest.store(rows);
}
const total = performance.now() - measured;
console.log('per batch ms', total / n, 'beats/s', (size * n * 1000) / total);
for (const [k, [t, c]] of times) console.log((t / c).toFixed(2), c, k);
await database.close();
await stage.stop();
