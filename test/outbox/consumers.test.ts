import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until } from '../support/world.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

test('an event that cannot be taken in is set aside, and those behind it still take effect', async () => {
  const tenant = await panel.world.tenant();
  await panel.sql(
    `insert into identity.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
     values ('evt_broken', $1, 'billing.entitlement.granted', $1, '{"version": "not a number"}', 'test', now())`,
    [tenant.id],
  );
  // Each try is a turn of the loop, which rests on the panel's clock.
  const parked = async () =>
    panel.sql<{ event_id: string; consumer: string }>(`select consumer, event_id from platform.parked_event`);
  const consumers = async () => (await parked()).map(({ consumer }) => consumer).toSorted();
  await until(async () => (await consumers()).includes('fleet'), 'the event to be parked', 30_000);
  // Each area that wants the topic sets it aside for itself.
  for (const { event_id } of await parked()) expect(event_id).toBe('evt_broken');
  await tenant.grantPlan('PRO');
  expect(await tenant.instanceLimit()).toBe(25);
}, 120_000);
