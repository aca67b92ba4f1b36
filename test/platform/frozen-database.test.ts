import 'reflect-metadata';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { startPanel, type Panel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from '../support/clock.js';
import { testAdministrator, testSecretsKey } from '../support/panel.js';
import { ordinaryBeat, World, type Node, type Tenant } from '../support/world.js';
import { EmbeddedServers, query } from './support/embedded-servers.js';
import { Freezable } from './support/frozen.js';

// A request may have a connection already and wait for its answer, and then for a new one.
const secondsAtMost = 13;
const frozenForMs = 10_000;

const servers = new EmbeddedServers();
let database: Freezable;
let ownerUrl: string;
let panel: Panel;
let tenant: Tenant;
let node: Node;
beforeAll(async () => {
  const server = await servers.start(servers.temporaryFolder());
  database = new Freezable(server.pid()!);
  await query(server.url('postgres'), 'create database panel');
  ownerUrl = server.url('panel');
  const url = new URL(ownerUrl);
  [url.username, url.password] = ['panel_app', 'secret'];
  const clock = new TestClock();
  panel = await startPanel({
    ...panelOptions({
      DATABASE_URL: url.href,
      DATABASE_OWNER_URL: ownerUrl,
      SECRETS_KEY: testSecretsKey,
      PORT: '0',
      HOST: '127.0.0.1',
      RATE_LIMIT_PER_MINUTE: '1000000',
      PUBLIC_URL: 'http://panel.test',
      ADMIN_EMAIL: testAdministrator.email,
      ADMIN_PASSWORD: testAdministrator.password,
    }),
    logger: silentLogger,
    clock,
  });
  tenant = await new World(panel.url, clock).tenant();
  node = await tenant.node();
  await node.beat();
});
afterAll(async () => {
  database.thaw();
  await panel.stop();
  await servers.clear();
});

interface Outcome {
  status: number;
  retryAfter: string | null;
  seconds: number;
}

async function ask(path: string, token: string, body?: object): Promise<Outcome> {
  const from = performance.now();
  const response = await fetch(panel.url + path, {
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
  });
  await response.text();
  const seconds = (performance.now() - from) / 1000;
  return { status: response.status, retryAfter: response.headers.get('retry-after'), seconds };
}

/** One of each way to the database. */
const requests: Record<string, () => Promise<Outcome>> = {
  'a list over REST': async () => ask('/api/fleet/instances', tenant.token),
  'a write over REST': async () => ask('/api/fleet/tokens', tenant.token, { name: 'cold' }),
  'a beat': async () => ask('/api/agent/heartbeat', node.credential, ordinaryBeat),
  'a query': async () => ask('/graphql', tenant.token, { query: '{ instances { totalCount } }' }),
  'a mutation': async () =>
    ask('/graphql', tenant.token, { query: 'mutation { updateProfile(input: { name: "Cold" }) { name } }' }),
};

test('a frozen database is a 503 with Retry-After within seconds, and after the thaw all is well and nothing lost', async () => {
  const names: string[] = [];
  let isOver = false;
  onTestFinished(() => {
    isOver = true;
    database.thaw();
  });
  const writer = async () => {
    for (let count = 0; !isOver; count += 1) {
      const name = `written ${count}`;
      const { status } = await ask('/api/fleet/tokens', tenant.token, { name });
      // Its COMMIT may have been under way when the server froze: nobody knows then.
      expect([201, 502, 503]).toContain(status);
      if (status === 201) names.push(name);
    }
  };
  const writing = writer();
  await expect.poll(() => names.length).toBeGreaterThan(3);

  const frozenAt = performance.now();
  database.freeze();
  for (let round = 0; performance.now() - frozenAt < frozenForMs; round += 1) {
    const asked = Object.entries(requests).flatMap(([name, send]) => [
      [name, send] as const,
      [name, send] as const,
    ]);
    const [ready, ...outcomes] = await Promise.all([
      ask('/readyz', ''),
      ...asked.map(async ([name, send]) => ({ name, ...(await send()) })),
    ]);
    expect([ready.status, ready.seconds < 3]).toEqual([503, true]);
    expect(outcomes).toEqual(
      asked.map(([name]) => ({
        name,
        status: 503,
        retryAfter: expect.any(String),
        seconds: expect.any(Number),
      })),
    );
    expect(Math.max(...outcomes.map(({ seconds }) => seconds))).toBeLessThan(secondsAtMost);
  }
  database.thaw();

  await expect.poll(async () => (await ask('/readyz', '')).status).toBe(200);
  isOver = true;
  await writing;
  for (const [name, send] of Object.entries(requests)) {
    await expect.poll(async () => [name, (await send()).status < 300]).toEqual([name, true]);
  }
  const stored = await query(ownerUrl, `select name from fleet.enrollment_token where name like 'written%'`);
  expect(stored.map((row) => (row as { name: string }).name)).toEqual(expect.arrayContaining(names));
  await expect
    .poll(async () =>
      query(ownerUrl, `select from pg_locks where locktype = 'advisory' and classid = ${0x51_5b}`),
    )
    .toHaveLength(1);
}, 180_000);
