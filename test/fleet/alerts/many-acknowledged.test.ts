import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import type { Tenant } from '../../support/world.js';
import { alertsOf, firing } from './support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

interface Taken {
  acknowledgeAlerts: { alerts: { id: string; status: string }[]; hasMore: boolean };
}
const take = async (tenant: Tenant, input: Record<string, unknown>, token = tenant.token) =>
  panel.world.graphql<Taken>(
    `mutation($input: AcknowledgeAlertsInput!) {
       acknowledgeAlerts(input: $input) { hasMore alerts { id status acknowledgedBy acknowledgeComment } } }`,
    { input },
    token,
  );

/** As if so many components were unhealthy. */
async function manyFiring(tenant: Tenant, amount: number, instanceId: string | null = null): Promise<void> {
  await panel.sql(
    `insert into fleet.alert (tenant_id, id, instance_id, instance_name, rule, component, severity, status, message,
       count, started_at, fired_at, last_seen_at, updated_at, observed_to)
     select $1, 'alr_' || lpad(n::text, 26, '0'), coalesce($3, 'inst_' || n), 'web', 'COMPONENT_UNHEALTHY', 'disk' || n, 'CRITICAL',
       'FIRING', 'It is worn out', 1, now(), now(), now(), now(), now()
     from generate_series(1, $2::integer) n`,
    [tenant.id, amount, instanceId],
  );
}

test('those that are like this are taken up 500 in a call, with a word for others, and those beside them are not', async () => {
  const tenant = await panel.world.tenant();
  const { alert } = await firing(panel, tenant);
  await manyFiring(tenant, 501);
  const input = { filter: { rule: 'COMPONENT_UNHEALTHY' }, comment: ' The update is taken back ' };
  const calls = [await take(tenant, input), await take(tenant, input), await take(tenant, input)];
  const taken = calls.map((answer) => dataOf(answer).acknowledgeAlerts);
  expect(taken.map(({ alerts, hasMore }) => [alerts.length, hasMore])).toEqual([
    [500, true],
    [1, false],
    [0, false],
  ]);
  expect(taken[0]!.alerts[0]).toEqual({
    id: `alr_${'501'.padStart(26, '0')}`,
    status: 'ACKNOWLEDGED',
    acknowledgedBy: tenant.user.id,
    acknowledgeComment: 'The update is taken back',
  });
  const [events] = await panel.sql(
    `select count(*)::integer as count from fleet.outbox
     where tenant_id = $1 and topic = 'fleet.alert.changed' and payload->>'to' = 'ACKNOWLEDGED'`,
    [tenant.id],
  );
  expect([events, (await alertsOf(tenant, '?status=firing')).map(({ id }) => id)]).toEqual([
    { count: 501 },
    [alert.id],
  ]);
});

test('those that are named are taken up where they fire; what is over stays over, and one of nobody is refused with all', async () => {
  const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
  const [one, two, foreign] = [
    await firing(panel, tenant),
    await firing(panel, tenant),
    await firing(panel, other),
  ].map(({ alert }) => alert.id);
  const refused = await take(tenant, { ids: [one, foreign] });
  expect(refusal(refused)).toEqual({
    code: 'VALIDATION_FAILED',
    details: { 'input.ids.1': `There is no alert ${foreign}` },
  });
  expect(await alertsOf(tenant, '?status=acknowledged')).toEqual([]);
  await tenant.graphql('mutation($id: ID!) { resolveAlert(id: $id) { id } }', { id: two });
  const states = async () => {
    const { acknowledgeAlerts } = dataOf(await take(tenant, { ids: [two, one, one] }));
    return acknowledgeAlerts.alerts.map(({ id, status }) => [id, status]);
  };
  const expected = [
    [two, 'RESOLVED'],
    [one, 'ACKNOWLEDGED'],
  ];
  expect([await states(), await states()]).toEqual([expected, expected]);
  const nothing = { 'input.ids': 'Name either alerts or what they are like' };
  for (const input of [{}, { ids: [one], filter: {} }]) {
    expect(refusal(await take(tenant, input))).toEqual({ code: 'VALIDATION_FAILED', details: nothing });
  }
  const viewer = await tokenInRole(panel, tenant, 'VIEWER');
  expect(refusal(await take(tenant, { filter: {} }, viewer))).toMatchObject({ code: 'FORBIDDEN' });
});

test('instances are each given their own active alerts, up to 20 000 in an operation', async () => {
  const tenant = await panel.world.tenant();
  const { node, alert } = await firing(panel, tenant, 'quiet');
  const loud = await tenant.node('loud');
  await manyFiring(tenant, 20_000, loud.id);
  const ask = async (fields: string) =>
    tenant.graphql<{ instances: { nodes: object[] } }>(`{ instances { nodes { name ${fields} } } }`);
  expect(dataOf(await ask('activeAlertCount')).instances.nodes).toEqual([
    { name: 'quiet', activeAlertCount: 1 },
    { name: 'loud', activeAlertCount: 20_000 },
  ]);
  expect(refusal(await ask('activeAlerts { id }'))).toEqual({
    code: 'BAD_REQUEST',
    reason: 'ALERTS_TOO_MANY',
  });
  const alone = await tenant.graphql('query ($id: ID!) { instance(id: $id) { activeAlerts { id } } }', {
    id: node.id,
  });
  expect(dataOf(alone)).toEqual({ instance: { activeAlerts: [{ id: alert.id }] } });
});
