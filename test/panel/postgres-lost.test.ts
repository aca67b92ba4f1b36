import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { stopWithinMs } from '#panel/shutdown.js';
import { startEmbeddedPostgres } from '#platform/database/embedded-postgres.js';
import { silentLogger } from '#platform/logger.js';

import { query } from '../platform/support/embedded-servers.js';
import { TestClock } from '../support/clock.js';
import { createDataDir } from '../support/data-dir.js';
import { Live } from '../support/live.js';
import { freePort, PanelProcess, runProgram } from '../support/process.js';
import { World, type Node, type Tenant } from '../support/world.js';

// A panel as a user runs it, with a PostgreSQL of its own; the tests follow each other.
let dataDir: string;
let running: PanelProcess;
let tenant: Tenant;
let node: Node;

beforeAll(async () => {
  dataDir = createDataDir();
  const settings = { DATA_DIR: dataDir, LOG_LEVEL: 'info', DRAIN_SECONDS: '1' };
  running = new PanelProcess(await freePort(), settings);
  await running.ready();
  tenant = await new World(running.url, new TestClock()).tenant();
  node = await tenant.node();
});
afterAll(async () => {
  await running.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

const postmasterFile = () => readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
const postmaster = () => Number(postmasterFile()[0]);
/** The same while there may be none. */
const postmasterNow = (): number | undefined => {
  try {
    return postmaster();
  } catch {
    return undefined;
  }
};
const isNoneOr = (pid: number) => (now: number | undefined) => now === undefined || now === pid;

test('a command with another key is refused beside the panel that runs, which goes on', async () => {
  const { code, output } = await runProgram('parked', {
    DATA_DIR: dataDir,
    SECRETS_KEY: Buffer.alloc(32, 8).toString('base64'),
  });
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(
      /^The panel that runs on this database \(.+\) does not hold the first key of SECRETS_KEY/,
    ),
  ]);
  expect((await node.beat()).status).toBe(200);
  expect((await runProgram('parked', { DATA_DIR: dataDir })).output).toBe('Nothing is set aside.\n');
}, 60_000);

test('after kill -9 of the postmaster the panel answers again by itself, and nothing acknowledged is lost', async () => {
  const before = postmaster();
  const acknowledged: number[] = [];
  let isOver = false;
  const beats = (async () => {
    for (let percent = 1; !isOver; percent = (percent % 99) + 1) {
      const answer = await node.beat({ cpu_percent: percent });
      if (answer.status === 200) acknowledged.push(percent);
    }
  })();
  try {
    await expect.poll(() => acknowledged.length, { timeout: 45_000 }).toBeGreaterThan(3);
    process.kill(before, 'SIGKILL');
    // Sessions that always have something to read outlive the server that they are of by some beats.
    await expect.poll(() => postmasterNow(), { timeout: 45_000 }).not.toSatisfy(isNoneOr(before));
    const reached = acknowledged.length;
    await expect.poll(() => acknowledged.length, { timeout: 45_000 }).toBeGreaterThan(reached + 3);
  } finally {
    isOver = true;
    await beats;
  }

  expect(postmaster()).not.toBe(before);
  const { body } = await tenant.rest<{ id: string; cpu_percent: number }[]>('/api/fleet/instances');
  expect(body).toEqual([expect.objectContaining({ id: node.id, cpu_percent: acknowledged.at(-1) })]);
  for (const path of ['/readyz', '/healthz']) expect((await fetch(running.url + path)).status).toBe(200);
  expect(running.output).toContain('PostgreSQL is back');
  expect(running.output.length).toBeLessThan(200_000);
}, 150_000);

test.runIf(process.platform === 'linux')(
  'SIGTERM ends the process in time while PostgreSQL is frozen, and the next start finds everything',
  async () => {
    const live = new Live(running.url, tenant.token, 'subscription { instanceChanged { id } }');
    await live.opened();
    const first = postmaster();
    // A session that was not told who asks yet has the server's own name.
    const stranger = connect(Number(postmasterFile()[3]), '127.0.0.1').on('error', () => undefined);
    const childrenOf = () => readFileSync(`/proc/${first}/task/${first}/children`, 'utf8').trim().split(' ');
    const isNameless = (pid: string) =>
      !readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('postgres: ');
    await expect.poll(() => childrenOf().some(isNameless)).toBe(true);
    const children = childrenOf();
    for (const pid of [first, ...children]) process.kill(Number(pid), 'SIGSTOP');
    const underWay = tenant.rest('/api/fleet/instances').catch(() => undefined);

    const signalledAt = performance.now();
    const end = await running.kill('SIGTERM');
    expect([end, performance.now() - signalledAt < 1_000 + stopWithinMs]).toEqual([0, true]);
    await underWay;
    expect(live.closeCode).toBe(1012);
    await live.close();
    stranger.destroy();

    const server = await startEmbeddedPostgres({ dataDir, logger: silentLogger });
    expect(server.outcome).toBe('started');
    expect(await query(server.url('panel'), 'select id from fleet.instance')).toEqual([{ id: node.id }]);
    await server.stop();
  },
  90_000,
);
