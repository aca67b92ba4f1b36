import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { migrate } from '#panel/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';

import { createDataDir } from '../../support/data-dir.js';
import { freePort, PanelProcess } from '../../support/process.js';
import { until } from '../../support/world.js';

// A server of its own with its usual durability: fsync is what is tested.
let dataDir: string;
let server: EmbeddedPostgres;
let port: number;
let panel: PanelProcess;
const settings = { fsync: 'on', synchronous_commit: 'on' };

beforeAll(async () => {
  dataDir = createDataDir();
  server = await startEmbeddedPostgres({ dataDir, logger: silentLogger, settings });
  await query('postgres', 'create database panel');
  await migrate(server.url('panel'), 'kill-password', silentLogger);
  port = await freePort();
  panel = await startPanel();
}, 90_000);
afterAll(async () => {
  await panel.kill('SIGKILL');
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function query(database: string, sql: string, values: unknown[] = []): Promise<pg.QueryResultRow[]> {
  const client = new pg.Client({ connectionString: server.url(database) });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

async function startPanel(): Promise<PanelProcess> {
  const url = new URL(server.url('panel'));
  url.username = 'panel_app';
  url.password = 'kill-password';
  return new PanelProcess(port, {
    DATABASE_URL: url.href,
    SECRETS_KEY: Buffer.alloc(32, 9).toString('base64'),
    PUBLIC_URL: 'http://panel.test',
    ADMIN_EMAIL: 'admin@panel.test',
    ADMIN_PASSWORD: 'administrator-password',
  }).ready();
}

async function post(path: string, body: unknown, token?: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
}

interface Sent {
  at: string;
  cpu: number;
}

/** A node that keeps what was not acknowledged and sends it along with its next beat, as the agent does. */
class SteadyNode {
  readonly acknowledged: Sent[] = [];
  /** When each of its samples was taken, as the panel is to store it. */
  readonly taken = new Set<string>();
  private held: Sent[] = [];
  private isDone = false;
  private lastTick = 0;
  failures = 0;

  constructor(
    readonly id: string,
    private readonly credential: string,
    /** How far its clock is off. One that is off wavers as well. */
    private readonly skewMs: number,
  ) {}

  /** Milliseconds by its clock, which never stands still. */
  private tick(): number {
    const time = Date.now();
    const waver = this.skewMs === 0 ? 0 : Math.round(300 * Math.sin(time / 1_000));
    this.lastTick = Math.max(this.lastTick + 1, time + this.skewMs + waver);
    return this.lastTick;
  }

  /** The timestamp that a sample of its clock's time is stored under. */
  storedAs(at: string): string {
    return new Date(Date.parse(at) - this.skewMs).toISOString();
  }

  async run(): Promise<void> {
    for (let sequence = 1; !this.isDone; sequence += 1) {
      await this.beat(sequence);
      await sleep(20);
    }
    while (this.held.length > 0) await this.beat(0);
  }

  stop(): void {
    this.isDone = true;
  }

  private async beat(sequence: number): Promise<void> {
    const own = { at: new Date(this.tick()).toISOString(), cpu: sequence % 100 };
    this.taken.add(this.storedAs(own.at));
    const older = this.held.slice(0, 100);
    const measured = ({ cpu }: Sent) => ({ cpu_percent: cpu, memory_percent: 50, disk_percent: 50 });
    const answer = await post(
      '/api/agent/heartbeat',
      {
        ...measured(own),
        apps_count: 1,
        cpu_cores: 2,
        memory_gb: 4,
        version: '0.2.9',
        sent_at: own.at,
        samples: older.map((sample) => ({ timestamp: sample.at, ...measured(sample) })),
      },
      this.credential,
    ).catch(() => undefined);
    if (answer?.status === 200) {
      this.acknowledged.push(own, ...older);
      this.held = this.held.slice(older.length);
      return;
    }
    this.failures += 1;
    this.held.push(own);
    await sleep(50);
  }
}

async function nodes(count: number): Promise<SteadyNode[]> {
  const account = { email: `${crypto.randomUUID()}@panel.test`, password: 'correct horse battery' };
  const registered = (await (
    await post('/api/auth/register', { ...account, name: 'Owner', company: 'Kill' })
  ).json()) as { access_token: string };
  const { token } = (await (
    await post('/api/fleet/tokens', { name: 't' }, registered.access_token)
  ).json()) as {
    token: string;
  };
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const answer = await post('/api/agent/enroll', {
        token,
        name: `n${at}`,
        hostname: `n${at}.example.com`,
        version: '0.2.9',
      });
      const body = (await answer.json()) as { instance_id: string; credential: string };
      // Where delays on the way make the measured skew now more and now less than a step.
      return new SteadyNode(body.instance_id, body.credential, at === 0 ? 60_000 : 0);
    }),
  );
}

/** Resolves when each of them has been heard some times more. */
async function more(fleet: readonly SteadyNode[]): Promise<void> {
  const before = fleet.map(({ acknowledged }) => acknowledged.length);
  await until(
    async () => fleet.every(({ acknowledged }, at) => acknowledged.length > before[at]! + 20),
    'beats to be acknowledged',
    60_000,
  );
}

/** Everything acknowledged is stored, each once, and the instance is told of as its newest beat left it. */
async function expectAllThere(fleet: readonly SteadyNode[]): Promise<void> {
  for (const node of fleet) {
    const rows = await query(
      'panel',
      'select at, cpu_percent from fleet.metrics_sample where instance_id = $1',
      [node.id],
    );
    const stored = new Map(
      rows.map((row) => [(row['at'] as Date).toISOString(), row['cpu_percent'] as number]),
    );
    const invented = [...stored.keys()].filter((at) => !node.taken.has(at));
    expect(invented, 'no sample under a second timestamp').toEqual([]);
    const lost = node.acknowledged.filter(({ at, cpu }) => stored.get(node.storedAs(at)) !== cpu);
    expect(lost).toEqual([]);
    const marked = await query(
      'panel',
      `select distinct s.hour from (select date_trunc('hour', at, 'UTC') as hour from fleet.metrics_sample where instance_id = $1) s
       where not exists (select from fleet.metrics_dirty d where d.instance_id = $1 and d.hour = s.hour)`,
      [node.id],
    );
    expect(marked, 'every hour waits to be rolled up').toEqual([]);
  }
}

test('everything acknowledged outlives a panel that is killed, and nothing is there twice', async () => {
  const fleet = await nodes(3);
  const running = fleet.map((node) => node.run());
  await more(fleet);
  await panel.kill('SIGKILL');
  panel = await startPanel();
  await more(fleet);
  for (const node of fleet) node.stop();
  await Promise.all(running);
  expect(
    fleet.every(({ failures }) => failures > 0),
    'the kills were felt',
  ).toBe(true);
  await expectAllThere(fleet);
}, 90_000);

test('everything acknowledged outlives a PostgreSQL that is killed, and the panel takes beats again by itself', async () => {
  const fleet = await nodes(3);
  const running = fleet.map((node) => node.run());
  for (let kill = 0; kill < 2; kill += 1) {
    await more(fleet);
    const pid = server.pid()!;
    const { port: before } = server;
    process.kill(pid, 'SIGKILL');
    await sleep(300);
    server = await startEmbeddedPostgres({ dataDir, logger: silentLogger, settings });
    expect(server.port).toBe(before);
  }
  await more(fleet);
  for (const node of fleet) node.stop();
  await Promise.all(running);
  expect(
    fleet.every(({ failures }) => failures > 0),
    'the kills were felt',
  ).toBe(true);
  await expectAllThere(fleet);
}, 90_000);
