import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { alertsOf, firing, soon, updateRule } from './support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const phase = async (tenant: Tenant, id: string) => {
  const answer = await tenant.graphql<{ alert: { status: string; phase: string } }>(
    'query($id: ID!) { alert(id: $id) { status phase } }',
    { id },
  );
  const { alert } = dataOf(answer);
  return `${alert.status} ${alert.phase}`;
};

test('an alert says whether its condition holds, is just gone, or is not known since the node is silent', async () => {
  const tenant = await panel.world.tenant();
  const { node, alert } = await firing(panel, tenant);
  expect(await phase(tenant, alert.id)).toBe('FIRING FIRING');
  await tenant.rest(`/api/fleet/alerts/${alert.id}/acknowledge`, { method: 'POST' });
  const becomes = async (wanted: string) =>
    soon(panel, async () => (await phase(tenant, alert.id)) === wanted, wanted, 120);

  await panel.clock.advance(1_000);
  await node.beat({ cpu_percent: 5 });
  await becomes('ACKNOWLEDGED RECOVERING');
  await node.beat({ cpu_percent: 99 });
  await becomes('ACKNOWLEDGED FIRING');
  await becomes('ACKNOWLEDGED NO_DATA');
  await soon(panel, async () => (await alertsOf(tenant)).length === 2, 'the outage');
  const outage = (await alertsOf(tenant)).find(({ rule }) => rule === 'offline');
  expect(await phase(tenant, outage?.id ?? '')).toBe('FIRING FIRING');

  await node.beat({ cpu_percent: 5 });
  await becomes('ACKNOWLEDGED RECOVERING');
  await tenant.rest(`/api/fleet/alerts/${alert.id}/resolve`, { method: 'POST' });
  expect(await phase(tenant, alert.id)).toBe('RESOLVED RESOLVED');
});

test('one that has yet to fire is pending', async () => {
  const tenant = await panel.world.tenant();
  await updateRule(tenant, { kind: 'CPU', forSeconds: 600 });
  const node = await tenant.node();
  await node.beat({ cpu_percent: 99 });
  const pending = async () => alertsOf(tenant, '?status=pending');
  await soon(panel, async () => (await pending()).length === 1, 'the alert');
  expect(await phase(tenant, (await pending())[0]?.id ?? '')).toBe('PENDING PENDING');
});
