import pg from 'pg';

import { systemClock } from '#platform/clock.js';
import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import type { ReceivedBeat } from '#subgraphs/fleet/heartbeat/beat.js';
import { HeartbeatIngest } from '#subgraphs/fleet/heartbeat/ingest.job.js';
import { MetricsRelay } from '#subgraphs/fleet/metrics/metrics-relay.job.js';
import { fleetEntities } from '#subgraphs/fleet/subgraph.js';

import { cpuSeconds, residentMb } from './support/cpu.js';
import { beatBody, credentialsOf, instanceId, seedInstances, settle, tenantId } from './support/fleet.js';
import { Load } from './support/load.js';
import { insertPlain, startPlainServer, type PlainRow } from './support/plain-ingest.js';
import { fixed, publish } from './support/report.js';
import { build, openStage, type Stage } from './support/stage.js';
import { abba, median, pairedRatio } from './support/stats.js';

const fleetSize = 60_000;
const tenants = 60;
const beating = 6_000;
const connections = 256;
const roundMs = 2_000;
const batchSize = 500;

const nodes = Array.from({ length: beating }, (_, at) => {
  const index = Math.floor((at * fleetSize) / beating);
  return { tenantId: tenantId(Math.floor(index / (fleetSize / tenants))), id: instanceId(index) };
});

interface Round {
  rate: number;
  p50: number;
  p99: number;
  /** CPU milliseconds per beat of whoever answers, and of PostgreSQL. */
  serverMs: number;
  postgresMs: number;
}

/** P5: heartbeats through the agent path, acknowledged after commit, against plain batched INSERTs of the same rows. */
export async function ingestBench(): Promise<void> {
  build();
  const stage = await openStage();
  try {
    for (let tenant = 0; tenant < tenants; tenant += 1) {
      const size = fleetSize / tenants;
      await seedInstances(stage, tenantId(tenant), tenant * size, (tenant + 1) * size);
    }
    await settle(stage);
    const credentials = await credentialsOf(stage, nodes);
    const panel = await stage.panel();
    const plain = await startPlainServer(stage, nodes, batchSize);
    const request = (sequence: number) => ({
      path: '/api/agent/heartbeat',
      headers: {
        authorization: `Bearer ${credentials[sequence % beating]}`,
        'content-type': 'application/json',
        'x-instance': String(sequence % beating),
      },
      body: beatBody(sequence),
    });
    const ours = new Load(panel.url, connections, request);
    const theirs = new Load(plain.url, connections, request);
    // Every node once: credentials are verified and announced statuses are what they are in a fleet that runs.
    for (let warm = 0; warm < 3; warm += 1) await ours.run(2_000);
    const measured = (load: Load, pid: number) => async (): Promise<Round> => {
      const [server, postgres] = [cpuSeconds(pid), cpuSeconds(stage.postgresPid())];
      const { rate, p50, p99, failures } = await load.run(roundMs);
      if (failures > 0) throw new Error(`${failures} beats were refused`);
      const beats = (rate * roundMs) / 1000;
      return {
        rate,
        p50,
        p99,
        serverMs: ((cpuSeconds(pid) - server) * 1000) / beats,
        postgresMs: ((cpuSeconds(stage.postgresPid()) - postgres) * 1000) / beats,
      };
    };
    const http = await abba(
      { name: 'panel', round: measured(ours, panel.pid) },
      { name: 'plain', round: measured(theirs, process.pid) },
    );
    const memory = residentMb(panel.pid);
    await ours.stop();
    await theirs.stop();
    await plain.stop();
    await panel.stop();
    const writers = await compareWriters(stage);

    const rates = http.a.map(({ rate }) => rate);
    const ratio = pairedRatio(
      rates,
      http.b.map(({ rate }) => rate),
    );
    const writerRatio = pairedRatio(writers.a, writers.b);
    const of = (key: keyof Round, rounds: readonly Round[] = http.a) =>
      median(rounds.map((round) => round[key]));
    publish({
      name: 'ingest',
      setup: `${beating} of ${fleetSize} nodes in ${tenants} tenants, ${connections} connections, fsync on; load and peer share the machine`,
      figures: [
        {
          what: 'beats/s through the agent path',
          value: fixed(of('rate'), 0),
          target: '>= 2000',
          isMet: of('rate') >= 2_000,
        },
        { what: 'latency p50 / p99 (ms)', value: `${fixed(of('p50'), 0)} / ${fixed(of('p99'), 0)}` },
        {
          what: 'CPU per beat: panel / PostgreSQL (ms)',
          value: `${fixed(of('serverMs'))} / ${fixed(of('postgresMs'))}`,
        },
        { what: 'panel memory (MB)', value: String(memory) },
        {
          what: 'beats/s of a plain http + pg server writing the same rows',
          value: fixed(of('rate', http.b), 0),
        },
        {
          what: 'its latency p50 / p99 (ms)',
          value: `${fixed(of('p50', http.b), 0)} / ${fixed(of('p99', http.b), 0)}`,
        },
        { what: 'agent path / plain http + pg', value: fixed(ratio), target: '>= 0.5', isMet: ratio >= 0.5 },
        { what: 'beats/s of the writer alone, without HTTP', value: fixed(median(writers.a), 0) },
        {
          what: 'beats/s of plain batched INSERTs of the same rows, without HTTP',
          value: fixed(median(writers.b), 0),
        },
        {
          what: 'writer / plain INSERTs',
          value: fixed(writerRatio),
          target: '>= 0.5',
          isMet: writerRatio >= 0.5,
        },
      ],
      details: { http, writers },
    });
  } finally {
    await stage.stop();
  }
}

/** The panel's writer and the plain INSERT in the same process, batch after batch. */
async function compareWriters(stage: Stage): Promise<{ a: number[]; b: number[] }> {
  const database = await Database.open({
    area: 'fleet',
    url: stage.url,
    entities: fleetEntities,
    poolSize: 2,
    logger: silentLogger,
  });
  const ingest = new HeartbeatIngest(database, systemClock, 30, new MetricsRelay(database, silentLogger));
  const client = new pg.Client({ connectionString: stage.ownerUrl });
  await client.connect();
  let sequence = 1_000_000;
  const batchesPerRound = 12;
  const timed = async (store: (batch: readonly PlainRow[]) => Promise<void>): Promise<number> => {
    const start = performance.now();
    for (let batch = 0; batch < batchesPerRound; batch += 1) {
      const rows = Array.from({ length: batchSize }, () => {
        sequence += 1;
        return {
          ...nodes[sequence % beating]!,
          body: JSON.parse(beatBody(sequence)) as Record<string, unknown>,
        };
      });
      await store(rows);
    }
    return (batchesPerRound * batchSize * 1000) / (performance.now() - start);
  };
  const found = await abba(
    {
      name: 'writer',
      round: async () =>
        timed(async (rows) => {
          const outcomes = await ingest.store(rows.map((row) => receivedOf(row)));
          if (outcomes.some((outcome) => 'error' in outcome)) throw new Error('a beat was refused');
        }),
    },
    { name: 'insert', round: async () => timed(async (rows) => insertPlain(client, rows)) },
    { rounds: 14 },
  );
  await client.end();
  await ingest.stop();
  await database.close();
  return found;
}

function receivedOf({ tenantId: tenant, id, body }: PlainRow): ReceivedBeat {
  return {
    node: {
      kind: 'node',
      tenantId: tenant,
      instanceId: id,
      generation: 1,
      expiresAt: Number.MAX_SAFE_INTEGER,
      credentialExpiresAt: Number.MAX_SAFE_INTEGER,
    },
    receivedAt: new Date(),
    requestId: 'bench',
    beat: {
      cpuPercent: Number(body['cpu_percent']),
      memoryPercent: Number(body['memory_percent']),
      diskPercent: Number(body['disk_percent']),
      appsCount: 3,
      cpuCores: 4,
      memoryGb: 16,
      version: '0.2.9',
      netRxBytes: Number(body['net_rx_bytes']),
      netTxBytes: Number(body['net_tx_bytes']),
      loadAverage: 0.5,
      uptimeSeconds: Number(body['uptime_seconds']),
      sequence: Number(body['sequence']),
      sentAt: new Date(String(body['sent_at'])),
    },
  };
}
