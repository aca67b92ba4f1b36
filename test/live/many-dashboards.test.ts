import { once } from 'node:events';

import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

// What 200 dashboards cost is bounded; how long it takes is a matter of what else the machine does.
const slowestMs = 100_000;
const query = 'subscription { instanceChanged { id name hostname tenant { name } } }';

/** A dashboard that subscribes and then never reads again. */
async function stalled(url: string, token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  await once(socket, 'message');
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  socket.pause();
  return socket;
}

test('200 dashboards get every event in order while one of them never reads, at a bounded cost', async () => {
  const tenant = await (await panel.world.tenant()).grantPlan('PRO');
  const node = await tenant.node();
  const idle = await stalled(panel.panel.url, tenant.token);
  const dashboards = Array.from({ length: 200 }, () => new Live(panel.panel.url, tenant.token, query));
  await Promise.all(dashboards.map(async (live) => live.opened()));
  const before = process.memoryUsage().rss;

  const beats = 10;
  for (let beat = 0; beat < beats; beat += 1) {
    const status = beat % 2 === 0 ? 'unhealthy' : 'healthy';
    await panel.clock.advance(1_000);
    await node.beat({ health: [{ component: 'backup', status }] });
  }
  const from = (live: Live) => live.results.map(({ extensions }) => extensions?.cursor);
  const last = await tenant.node('the-last');
  const isDone = (live: Live) =>
    (live.results.at(-1)?.data as { instanceChanged?: { id: string } } | undefined)?.instanceChanged?.id ===
    last.id;
  await Promise.all(dashboards.map(async (live) => live.untilLatest(isDone, slowestMs)));

  // A dashboard may have been a moment earlier than another; what it got is the end of the same sequence.
  const longest = dashboards.map(from).toSorted((a, b) => b.length - a.length)[0]!;
  for (const live of dashboards) expect(from(live)).toEqual(longest.slice(-live.results.length));
  expect(Math.min(...dashboards.map(({ results }) => results.length))).toBeGreaterThanOrEqual(beats);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  idle.terminate();
  await Promise.all(dashboards.map(async (live) => live.close()));
}, 180_000);

test('a subscription ends within a second of its token, with a code that clients come back from', async () => {
  const tenant = await panel.world.tenant();
  const live = new Live(panel.panel.url, tenant.token, query);
  await live.opened();
  await panel.clock.leap(15 * 60 * 1000 + 1_000);
  await live.ended();
  expect(live.closeCode).toBe(4419);
  await live.close();
});
