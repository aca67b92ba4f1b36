import { expect, test } from 'vitest';

import { startTestPanel } from '../../support/panel.js';
import { World } from '../../support/world.js';
import { firing, soon, updateRule, type RestAlert } from './support/panel.js';

test('an acknowledgement lasts through beats and restarts until the condition clears; the next alert is without it', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  await updateRule(tenant, { kind: 'CPU', keepFiringForSeconds: 30 });
  const { node, alert } = await firing(panel, tenant);
  await tenant.rest(`/api/fleet/alerts/${alert.id}/acknowledge`, { method: 'POST' });

  await panel.panel.stop();
  const { url } = await panel.another();
  const { token } = tenant;
  const world = new World(url, panel.clock);
  const beat = async (cpu: number) => {
    await panel.clock.advance(5_000);
    const body = {
      cpu_percent: cpu,
      memory_percent: 1,
      disk_percent: 1,
      apps_count: 1,
      cpu_cores: 1,
      memory_gb: 1,
      version: '1.0',
    };
    expect((await world.rest('/api/agent/heartbeat', { token: node.credential, body })).status).toBe(200);
  };
  const seen = async (query = '') =>
    (await world.rest<RestAlert[]>(`/api/fleet/alerts${query}`, { token })).body;

  await beat(99);
  await soon(panel, async () => (await seen())[0]?.count === 2, 'the second beat');
  expect(await seen()).toMatchObject([
    { id: alert.id, status: 'acknowledged', value: 99, acknowledged_by: tenant.user.id },
  ]);
  await beat(5);
  await soon(panel, async () => (await seen()).length === 0, 'the alert to clear');
  expect(await seen('?status=resolved')).toMatchObject([{ id: alert.id, acknowledged_by: tenant.user.id }]);

  await beat(98);
  await soon(panel, async () => (await seen()).length === 1, 'a new alert');
  const [next] = await seen();
  expect(next).toMatchObject({ status: 'firing', acknowledged_by: null, count: 1 });
  expect(next?.id).not.toBe(alert.id);
});
