import { once } from 'node:events';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import pg from 'pg';
import { afterEach, expect, test } from 'vitest';

import { areaNames } from '#panel/areas.js';
import { stopWithinMs } from '#panel/shutdown.js';

import { TestClock } from '../support/clock.js';
import { HeldLock } from '../support/held-lock.js';
import { Live } from '../support/live.js';
import { createTestDatabase, modes, startTestPanel, testSecretsKey } from '../support/panel.js';
import { freePort, PanelProcess, runScript } from '../support/process.js';
import { World } from '../support/world.js';

const leftovers: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of leftovers.splice(0).toReversed()) await undo();
});

async function start(port: number, settings: Record<string, string>): Promise<PanelProcess> {
  const running = new PanelProcess(port, settings);
  leftovers.push(() => running.kill('SIGKILL'));
  return running.ready();
}

const instances = '/api/fleet/instances';
const dashboard = 'subscription { instanceChanged { id } }';

test('SIGTERM under 200 sockets: readiness goes first, requests are answered, each socket is told, leases go last, the next start is taken', async () => {
  const database = await createTestDatabase();
  leftovers.push(() => database.drop());
  const port = await freePort();
  const settings = {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    PUBLIC_URL: 'http://panel.test',
    DRAIN_SECONDS: '1',
  };
  const running = await start(port, settings);
  const world = new World(running.url, new TestClock());
  const tenant = await world.tenant();
  const node = await tenant.node();
  const lives = Array.from({ length: 199 }, () => new Live(running.url, tenant.token, dashboard));
  lives.push(new Live(running.url, node.credential, 'subscription { commandsFor { id } }'));
  leftovers.push(() => Promise.all(lives.map(async (live) => live.close())));
  await Promise.all(lives.map(async (live) => live.opened()));
  // Under way when the signal comes, and for longer than the grace.
  const holder = new pg.Client({ connectionString: database.ownerUrl });
  await holder.connect();
  leftovers.push(() => holder.end());
  await holder.query('begin; lock table fleet.instance in access exclusive mode');
  const underWay = tenant.rest(instances);

  const signalledAt = performance.now();
  running.signal('SIGTERM');
  await expect.poll(async () => (await fetch(`${running.url}/readyz`)).status).toBe(503);
  const during = await fetch(`${running.url}/.well-known/jwks.json`);
  expect([during.status, during.headers.get('connection')]).toEqual([200, 'close']);
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);

  // The grace is over with the first of them; a request waits for a lock no longer than patience.ts allows.
  await Promise.any(lives.map(async (live) => live.ended()));
  // The leases stay while anything is answered: another process takes them when the last answer is out.
  const held = `select count(*)::int as count from platform.lease where expires_at > clock_timestamp()`;
  expect((await holder.query(held)).rows).toEqual([{ count: areaNames.length }]);
  await holder.query('commit');
  expect((await underWay).status).toBe(200);
  await Promise.all(lives.map(async (live) => live.ended()));
  expect([await running.ended, performance.now() - signalledAt < 2_000 + stopWithinMs]).toEqual([0, true]);
  expect((await holder.query(held)).rows).toEqual([{ count: 0 }]);
  expect(new Set(lives.map((live) => live.closeCode))).toEqual(new Set([1012]));
  expect(running.output).not.toMatch(/took too long|"level":50/);

  // The panel that follows takes the database with it.
  await holder.end();
  await using next = await startTestPanel({}, 'in process', database);
  expect((await fetch(`${next.panel.url}/readyz`)).status).toBe(200);
}, 90_000);

test.each(modes)(
  '%s: nothing that a client does or leaves undone holds a stop',
  async (mode) => {
    const panel = await startTestPanel({}, mode);
    let isStopped = false;
    leftovers.push(async () => {
      if (!isStopped) await panel.stop();
    });
    const tenant = await panel.world.tenant();
    const live = new Live(panel.panel.url, tenant.token, dashboard);
    await live.opened();
    const { hostname, port } = new URL(panel.panel.url);
    // One that asks for nothing, one that never says all of what it asks, and one that keeps its refused upgrade open.
    const sockets = ['', 'GET / HTTP/1.1\r\nHost: x\r\n', upgradeElsewhere].map((text) => {
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      socket.on('error', () => undefined);
      socket.write(text);
      return socket;
    });
    await Promise.all(sockets.map(async (socket) => once(socket, 'connect')));
    const lock = await HeldLock.by(panel, 'lock table fleet.instance in access exclusive mode');
    const stuck = tenant.rest(instances).catch(() => undefined);
    await lock.wanted();

    const startedAt = performance.now();
    await panel.panel.stop();
    // In split mode three processes end one after the other.
    expect(performance.now() - startedAt).toBeLessThan(stopWithinMs * (mode === 'split' ? 3 : 1));
    await live.ended();
    expect(live.closeCode).toBe(1012);
    await stuck;
    await lock.release();
    // What was cut ends by itself once it is let go; here no end of the process makes it.
    const ofPanel = `select 1 from pg_stat_activity where datname = current_database() and usename = 'panel_app'`;
    await expect.poll(() => panel.sql(ofPanel)).toEqual([]);
    await lock[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
    isStopped = true;
    await panel.stop();
  },
  90_000,
);

const upgradeElsewhere =
  'GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A program whose `stop` and `failed` are as given. */
const program = (running: string) => `
  import { run } from '#panel/run.js';
  import { OperatorError } from '#platform/errors.js';
  setInterval(() => undefined, 1_000);
  await run(async () => (${running}));
  process.stdout.write('running\\n');`;

test('a stop that takes longer than it may is ended with words and a code that is not 0', async () => {
  const child = runScript(program('{ stopWithinMs: 300, stop: () => new Promise(() => undefined) }'));
  await child.said('running');
  child.signal('SIGTERM');
  expect(await child.ended).toBe(1);
  expect(child.output).toContain(
    'SIGTERM: stopping\nDid not stop within 0.3 s: ended with work unfinished.\n',
  );
});

test('a second signal ends the process at once, but not the echo of the first that npm hands on', async () => {
  const child = runScript(program('{ stopWithinMs: 60_000, stop: () => new Promise(() => undefined) }'));
  await child.said('running');
  child.signal('SIGINT');
  await child.said('stopping');
  child.signal('SIGINT');
  const signalledAt = performance.now();
  await expect
    .poll(() => {
      child.signal('SIGINT');
      return child.isRunning;
    })
    .toBe(false);
  expect(performance.now() - signalledAt).toBeGreaterThan(500);
  expect(await child.ended).toBe(130);
});

test('what the process can not go on without ends it with its words', async () => {
  const failed = `Promise.resolve(new OperatorError('The database is gone.'))`;
  const stop = `async ({ isFailing }) => process.stdout.write(isFailing ? 'without grace\\n' : '')`;
  const child = runScript(program(`{ stopWithinMs: 60_000, stop: ${stop}, failed: ${failed} }`));
  expect(await child.ended).toBe(1);
  expect(child.output.split('\n').toSorted()).toEqual([
    '',
    'The database is gone.',
    'running',
    'without grace',
  ]);
});

async function startAndStop(): Promise<WeakRef<object>> {
  const stopped = await startTestPanel();
  await stopped.stop();
  return new WeakRef(stopped.panel.gateway);
}

test('what a panel held is let go once it has stopped, though its process goes on', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // MikroORM puts the first of a process on the classes of its entities, and timers know the one that ended last.
  await startAndStop();
  const stopped = await startAndStop();
  await startAndStop();
  await expect
    .poll(() => {
      collect();
      return stopped.deref() === undefined;
    })
    .toBe(true);
});
