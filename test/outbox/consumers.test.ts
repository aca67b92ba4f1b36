import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';
import { runProgram } from '../support/process.js';
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

  const command = async (...argv: string[]) =>
    runProgram(
      'parked',
      { DATABASE_URL: panel.database.url, SECRETS_KEY: testSecretsKey, LOG_LEVEL: 'error' },
      { argv },
    );
  const listed = await command();
  expect(listed.output).toContain('evt_broken billing.entitlement.granted for fleet, of ' + tenant.id);
  const retry = async () => {
    await command('retry', 'evt_broken');
    await until(
      async () => {
        await panel.clock.advance(15_000);
        const [row] = await panel.sql('select from platform.parked_event where retry_at is not null');
        return row === undefined;
      },
      'the try',
      30_000,
    );
  };
  // As broken as before.
  await retry();
  expect(await consumers()).toContain('fleet');
  // What was wrong is mended: here the event, which an older version had written.
  await panel.sql(
    `update platform.parked_event set event = jsonb_set(event, '{payload}', (
       select payload || '{"version": 1000000}' from identity.outbox
       where topic = 'billing.entitlement.granted' and tenant_id = $1 and event_id <> 'evt_broken' limit 1))`,
    [tenant.id],
  );
  await retry();
  // Billing keeps who granted it as well, which goes by the order: somebody has to look.
  expect(await consumers()).toEqual(['billing']);
  expect((await command()).output).toContain('it can be taken in in its order only');
  expect((await command('forget', 'evt_broken')).output).toBe('1 forgotten.\n');
  expect(await panel.sql('select version from fleet.entitlement where tenant_id = $1', [tenant.id])).toEqual([
    { version: '1000000' },
  ]);
  expect((await command()).output).toBe('Nothing is set aside.\n');
  expect((await command('forget', 'evt_broken')).output).toBe(
    'evt_broken is not set aside, or is from before events were kept with it.\n',
  );
}, 180_000);
