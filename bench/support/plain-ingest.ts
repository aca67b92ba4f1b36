import { createServer, type Server } from 'node:http';

import pg from 'pg';

import type { BenchNode } from './fleet.js';
import { freePort, type Stage } from './stage.js';

async function preparePlain(stage: Stage): Promise<void> {
  await stage.sql(`create table bench_sample (like fleet.metrics_sample including all)`);
  await stage.sql(`create table bench_instance (like fleet.instance including all) with (fillfactor = 60)`);
  await stage.sql(`insert into bench_instance select * from fleet.instance`);
  await stage.sql('vacuum (analyze) bench_instance');
}

export interface PlainRow {
  tenantId: string;
  id: string;
  body: Record<string, unknown>;
}

const key = { tenant_id: 'text', id: 'text' };
const sample = {
  sent_at: 'timestamptz',
  cpu_percent: 'float8',
  memory_percent: 'float8',
  disk_percent: 'float8',
  net_rx_bytes: 'float8',
  net_tx_bytes: 'float8',
  load_average: 'float8',
};
const state = {
  ...sample,
  apps_count: 'int',
  cpu_cores: 'int',
  memory_gb: 'float8',
  version: 'text',
  uptime_seconds: 'float8',
  sequence: 'bigint',
};
const stateNames = Object.keys(state).map((name) => (name === 'sent_at' ? 'last_seen_at' : name));

/** The rows that the panel writes for the same beats: a sample and the instance's state for each. */
export async function insertPlain(client: pg.Client | pg.Pool, rows: readonly PlainRow[]): Promise<void> {
  await client.query(
    `insert into bench_sample ${valuesList(sample, rows.length)} on conflict do nothing`,
    valuesOf(sample, rows),
  );
  await client.query(
    `insert into bench_instance (tenant_id, id, ${stateNames.join(', ')}, name, hostname, base_url, redirect_uris, tags,
       enrolled_at, enrollment_token_id)
     select v.*, '', '', '', '{}', '{}', now(), ''
     from (${valuesList(state, rows.length)}) v (tenant_id, id, ${stateNames.join(', ')})
     on conflict (tenant_id, id) do update set ${stateNames.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    valuesOf(state, rows),
  );
}

/** `values ($1::text, ...), ($10, ...)`: the first row's types hold for all. */
function valuesList(columns: Record<string, string>, count: number): string {
  const types = Object.values({ ...key, ...columns });
  const row = (at: number) =>
    types.map((type, column) => `$${at * types.length + column + 1}${at === 0 ? `::${type}` : ''}`).join(',');
  return `values ${Array.from({ length: count }, (_, at) => `(${row(at)})`).join(',')}`;
}

function valuesOf(columns: Record<string, string>, rows: readonly PlainRow[]): unknown[] {
  return rows.flatMap(({ tenantId, id, body }) => [
    tenantId,
    id,
    ...Object.keys(columns).map((column) => body[column]),
  ]);
}

/** What one would write by hand: Node's http, JSON.parse, a queue, one INSERT per batch. No checks of any kind. */
export async function startPlainServer(
  stage: Stage,
  nodes: readonly BenchNode[],
  batchSize: number,
): Promise<{ url: string; stop(): Promise<void> }> {
  await preparePlain(stage);
  const pool = new pg.Pool({ connectionString: stage.ownerUrl, max: 1 });
  let waiting: { row: PlainRow; done: () => void }[] = [];
  let isFlushing = false;
  const flush = async () => {
    isFlushing = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize);
      await insertPlain(
        pool,
        batch.map(({ row }) => row),
      );
      for (const { done } of batch) done();
    }
    isFlushing = false;
  };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      const node = nodes[Number(request.headers['x-instance'])]!;
      const done = () => {
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({ server_time: new Date().toISOString(), heartbeat_seconds: 30, commands: [] }),
        );
      };
      waiting.push({ row: { ...node, body }, done });
      if (!isFlushing) setImmediate(() => void (isFlushing || flush()));
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.end();
    },
  };
}
