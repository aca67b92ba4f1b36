import { afterAll, beforeAll, expect, test } from 'vitest';

import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { firing, impatient, soon } from './support/panel.js';

const query = `subscription($severity: AlertSeverity, $instanceId: ID) {
  alertChanged(severity: $severity, instanceId: $instanceId) { rule status instance { name tenant { name } } }
}`;
const changes = (live: Live) =>
  live.results.map(({ data }) => (data as { alertChanged: unknown }).alertChanged);

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

test("each step of an alert is an event that carries its instance, and identity's name of the tenant", async () => {
  const tenant = await panel.world.tenant('Acme');
  await using live = new Live(panel.panel.url, tenant.token, query);
  await live.opened();
  const { alert } = await firing(panel, tenant, 'web-1');
  await live.received(1);
  await tenant.rest(`/api/fleet/alerts/${alert.id}/acknowledge`, { method: 'POST' });
  await live.received(2);
  await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
  await live.received(3);
  const instance = { name: 'web-1', tenant: { name: 'Acme' } };
  expect(changes(live)).toEqual([
    { rule: 'CPU', status: 'FIRING', instance },
    { rule: 'CPU', status: 'ACKNOWLEDGED', instance },
    { rule: 'CPU', status: 'RESOLVED', instance },
  ]);
});

test('a filter by severity and instance leaves out the rest, other tenants all the more', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  await impatient(tenant, 'DISK');
  const [watched, beside] = [await tenant.node('watched'), await tenant.node('beside')];
  await using live = new Live(panel.panel.url, tenant.token, query, {
    variables: { severity: 'CRITICAL', instanceId: watched.id },
  });
  await live.opened();
  await firing(panel, other);
  await beside.beat({ disk_percent: 99 });
  await firing(panel, tenant);
  await watched.beat({ disk_percent: 99 });
  await soon(panel, async () => live.results.length === 1, 'the one event');
  expect(changes(live)).toMatchObject([{ rule: 'DISK', status: 'FIRING', instance: { name: 'watched' } }]);
});

test('who comes back with the last cursor gets what was missed', async () => {
  const tenant = await panel.world.tenant();
  const live = new Live(panel.panel.url, tenant.token, query);
  await live.opened();
  const { alert } = await firing(panel, tenant, 'first');
  await live.received(1);
  await live.close();
  await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
  await firing(panel, tenant, 'second');
  await using back = new Live(panel.panel.url, tenant.token, query, { after: live.lastCursor });
  await back.received(2);
  expect(changes(back)).toMatchObject([
    { status: 'RESOLVED', instance: { name: 'first' } },
    { status: 'FIRING', instance: { name: 'second' } },
  ]);
});
