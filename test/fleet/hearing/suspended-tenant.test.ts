import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Tenant } from '../../support/world.js';
import { firing, soon } from '../alerts/support/panel.js';
import { subscribe, WebhookReceiver } from '../alerts/support/webhook.js';
import { report, sent, statuses, takeOne } from '../commands/support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
});
afterAll(async () => panel.stop());

const minute = 60_000;

async function set(action: 'suspend' | 'restore', { id }: Tenant): Promise<void> {
  const administrator = await panel.world.administrator();
  dataOf(
    await panel.world.graphql(
      `mutation($id: ID!) { ${action}Tenant(id: $id) { id } }`,
      { id },
      administrator,
    ),
  );
}

async function signInAgain(tenant: Tenant): Promise<void> {
  const login = await panel.world.login(tenant.account.email, tenant.account.password);
  Object.assign(tenant, { token: login.body.access_token });
}

async function statusesOf(tenant: Tenant): Promise<Record<string, string>> {
  const { body } = await tenant.rest<{ id: string; status: string }[]>('/api/fleet/instances');
  return Object.fromEntries(body.map(({ id, status }) => [id, status]));
}

/** Moves time on, and gives background steps real time for what became due. */
async function pass(seconds: number, tenant: Tenant): Promise<void> {
  await panel.clock.advance(seconds * 1_000);
  const overdue = async (what: string) => panel.sql(what, [tenant.id, panel.clock.now()]);
  await until(
    async () =>
      (await overdue('select from fleet.instance where tenant_id = $1 and offline_at <= $2')).length +
        (await overdue('select from fleet.command_invocation where tenant_id = $1 and due_at <= $2'))
          .length ===
      0,
    'everything that is due to be looked at',
  );
}

test('suspending a tenant for a while ends nothing, and tells nobody', async () => {
  await using receiver = await WebhookReceiver.start();
  const tenant = await panel.world.tenant();
  await subscribe(tenant, receiver, { repeatIntervalMinutes: 5 });
  const { node } = await firing(panel, tenant);
  const other = await tenant.node();
  await other.beat();
  const id = await sent(tenant, [node], { execution_timeout_seconds: 120 });
  const handed = await takeOne(node);
  expect(await report(node, handed, 'in_progress')).toBe(204);
  await soon(panel, async () => receiver.received.length === 1, 'the alert to be told');

  await set('suspend', tenant);
  await until(async () => (await other.beat()).status === 403, 'the refusal');
  expect(await other.beat()).toMatchObject({ body: { error: 'The tenant is suspended' } });
  expect(await report(node, handed, 'success')).toBe(403);
  for (let times = 0; times < 5; times += 1) await pass(80, tenant);
  expect(receiver.received).toHaveLength(1);

  await set('restore', tenant);
  await until(async () => (await other.beat()).status === 200, 'the node to be let in again');
  await signInAgain(tenant);
  // As late as an agent comes back.
  await pass(60, tenant);
  expect(await statusesOf(tenant)).toEqual({ [node.id]: 'healthy', [other.id]: 'healthy' });
  await node.beat({ cpu_percent: 98 });
  expect(await report(node, handed, 'success')).toBe(204);
  expect((await statuses(tenant, id, [node])).command).toBe('success');
  await soon(panel, async () => receiver.received.length >= 2, 'the alert that fires to be told again');
  // While that was waited for nobody beats, which is told as well, but later.
  const told = receiver.received.flatMap(({ body }) => body.data.alerts.map(({ rule }) => rule));
  expect(told.slice(0, 2)).toEqual(['cpu', 'cpu']);
});

test('a node that does not come back is offline one deadline after the restore', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  await panel.clock.advance(minute);
  await set('suspend', tenant);
  await until(async () => (await node.beat()).status === 403, 'the refusal');
  await set('restore', tenant);
  await until(async () => {
    const rows = await panel.sql('select from fleet.instance where id = $1 and offline_at = $2', [
      node.id,
      new Date(panel.clock.now().getTime() + 90_000),
    ]);
    return rows.length === 1;
  }, 'its new deadline');
  await signInAgain(tenant);
  await panel.clock.advance(89_000);
  expect(await statusesOf(tenant)).toEqual({ [node.id]: 'healthy' });
  await panel.clock.advance(1_000);
  expect(await statusesOf(tenant)).toEqual({ [node.id]: 'offline' });
});
