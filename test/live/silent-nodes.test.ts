import { afterAll, beforeAll, expect, test } from 'vitest';

import { stride } from '../fleet/support/strides.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ HEARTBEAT_SECONDS: '30' });
});
afterAll(async () => panel.stop());

test('a node that falls silent is announced offline, with no request made, and healthy when it is back', async () => {
  const tenant = await panel.world.tenant('Silent Ltd');
  const node = await tenant.node('quiet');
  await node.beat();
  await using live = new Live(
    panel.panel.url,
    tenant.token,
    'subscription { instanceChanged { name status statusReasons { code } tenant { name } } }',
  );
  await live.opened();
  const latest = () =>
    (live.results.at(-1)?.data as { instanceChanged?: { status: string } } | undefined)?.instanceChanged;
  await stride(panel.clock, 3 * 30_000);
  await panel.clock.advanceUntil(() => latest()?.status === 'OFFLINE', 5_000);
  expect(latest()).toEqual({
    name: 'quiet',
    status: 'OFFLINE',
    statusReasons: [{ code: 'NO_HEARTBEAT' }],
    tenant: { name: 'Silent Ltd' },
  });
  await node.beat();
  await until(async () => latest()?.status === 'HEALTHY', 'the node to be announced healthy');
  expect(latest()).toEqual({
    name: 'quiet',
    status: 'HEALTHY',
    statusReasons: [],
    tenant: { name: 'Silent Ltd' },
  });
});

test('the fleet in numbers follows', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await using live = new Live(
    panel.panel.url,
    tenant.token,
    'subscription { fleetHealthChanged { totalInstances healthy offline } }',
  );
  await live.opened();
  const latest = () =>
    (live.results.at(-1)?.data as { fleetHealthChanged?: object } | undefined)?.fleetHealthChanged;
  const isLatest = (counts: object) => JSON.stringify(latest()) === JSON.stringify(counts);
  await node.beat();
  await until(async () => isLatest({ totalInstances: 1, healthy: 1, offline: 0 }), 'one healthy node');
  await stride(panel.clock, 3 * 30_000);
  await panel.clock.advanceUntil(() => isLatest({ totalInstances: 1, healthy: 0, offline: 1 }), 5_000);
  expect(latest()).toEqual({ totalInstances: 1, healthy: 0, offline: 1 });
});
