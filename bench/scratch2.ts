import 'reflect-metadata';
import pg from 'pg';
import { insertSamples, lockInstances, updateInstances } from '#subgraphs/fleet/heartbeat/ingest.sql.js';
import { beatBody, instanceId, seedInstances, settle, tenantId } from './support/fleet.js';
import { openStage } from './support/stage.js';
const stage = await openStage();
for (let t = 0; t < 60; t++) await seedInstances(stage, tenantId(t), t * 1000, (t + 1) * 1000);
await settle(stage);
const client = new pg.Client({ connectionString: stage.url });
await client.connect();
const mk = (b: number) => Array.from({ length: 500 }, (_, k) => { const i = ((b * 500 + k) * 10) % 60000; return {
  tenant_id: tenantId(Math.floor(i / 1000)), id: instanceId(i), instance_id: instanceId(i), generation: 1, at: new Date(), last_seen_at: new Date(), offline_at: new Date(Date.now() + 90000), announced_status: i % 50 === 0 ? 'DEGRADED' : 'HEALTHY', status_changed_at: new Date(), reasons: [], streaks: {}, sampled_at: new Date(), sequence: 5, clock_skew_seconds: 0.1, version: '0.2.9', apps_count: 3, cpu_percent: 14 + k % 7, memory_percent: 41, disk_percent: 30, cpu_cores: 4, memory_gb: 16, storage_used_gb: null, net_rx_bytes: 123456, net_tx_bytes: 1234567, net_rx_bytes_per_second: 33.3, net_tx_bytes_per_second: 33.3, load_average: .5, uptime_seconds: 90000, health: [{ component: 'proxy', status: 'HEALTHY' }] }; });
const dollar = (sql: string) => { let n = 0; return sql.replace(/\?/g, () => `$${++n}`); };
for (let b = 0; b < 40; b++) {
  await client.query('begin'); await client.query(`select set_config('role', 'fleet_jobs', true)`);
  const rows = JSON.stringify(mk(b)); 
  for (const sql of [lockInstances, updateInstances, insertSamples]) {
    const t = performance.now();
    const r = await client.query(b === 39 ? `explain (analyze, buffers, wal) ${dollar(sql)}` : dollar(sql), [rows]);
    if (b === 39) console.log(r.rows.map((x) => x['QUERY PLAN']).join('\n').slice(0, 2500));
    else if (b > 34) console.log((performance.now() - t).toFixed(1));
  }
  await client.query('commit');
}
await client.end();
await stage.stop();
