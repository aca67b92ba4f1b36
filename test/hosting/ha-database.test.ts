import { afterAll, beforeAll, expect, test } from 'vitest';

import { Pair } from '../outbox/support/pair.js';
import { until } from '../support/world.js';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start();
}, 180_000);
afterAll(async () => pair[Symbol.asyncDispose]());

interface Shown {
  mode: string;
  status: string;
  replicationLagMs: number | null;
  lastFailover: string | null;
  reasons: { code: string }[];
  database: {
    kind: string;
    timeline: number;
    isSynchronous: boolean | null;
    members: { name: string; state: string; lagMs: number | null; lagBytes: number }[];
  };
}

async function shown(): Promise<Shown> {
  const { world } = pair.panel;
  const { data } = await world.graphql<{ haStatus: Shown }>(
    `{ haStatus { mode status replicationLagMs lastFailover reasons { code }
       database { kind timeline isSynchronous members { name state lagMs lagBytes } } } }`,
    {},
    await world.administrator(),
  );
  return data!.haStatus;
}

test('a streaming standby is told of with its lag in milliseconds, and a promotion is history', async () => {
  const { panel, standby } = pair;
  const tenant = await panel.world.tenant();
  await tenant.node('measured');
  await standby.caughtUp();
  await until(async () => (await shown()).replicationLagMs !== null, 'a lag to be measured');
  const before = await shown();
  expect(before).toMatchObject({
    mode: 'active-passive',
    status: 'HEALTHY',
    lastFailover: null,
    database: {
      kind: 'streaming',
      timeline: 1,
      isSynchronous: false,
      members: [{ name: 'standby', state: 'streaming', lagBytes: expect.any(Number) as unknown }],
    },
  });
  expect(before.replicationLagMs).toBeGreaterThanOrEqual(0);
  expect(before.replicationLagMs).toBeLessThan(60_000);
  expect(Number.isInteger(before.replicationLagMs) && before.replicationLagMs === 12).toBe(false);
  // Seen once, so that what comes is a change.
  await panel.clock.advance(2_000);
  await until(async () => (await panel.sql('select from platform.ha_seen')).length === 1, 'the first look');

  await pair.failOver();
  await until(
    async () => {
      await panel.clock.advance(1_000);
      return panel.world
        .administrator()
        .then(async () => (await shown()).lastFailover !== null)
        .catch(() => false);
    },
    'the failover in the status',
    90_000,
  );
  expect(await shown()).toMatchObject({
    mode: 'standalone',
    replicationLagMs: null,
    database: { kind: 'standalone', timeline: 2, isSynchronous: null, members: [] },
  });
}, 180_000);
