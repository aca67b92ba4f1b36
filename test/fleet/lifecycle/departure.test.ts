import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf, refusal, restTime } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { until, type Node, type Tenant } from '../../support/world.js';
import { alertsOf, soon } from '../alerts/support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const depart = async ({ credential: token }: Pick<Node, 'credential'>) =>
  panel.world.rest('/api/agent/departure', { method: 'POST', token });

interface Told {
  status: string;
  statusReasons: { code: string; message: string; since: string | null }[];
}

async function told(tenant: Tenant, { id }: Node): Promise<Told> {
  const answer = await tenant.graphql<{ instance: Told }>(
    'query($id: ID!) { instance(id: $id) { status statusReasons { code message since } } }',
    { id },
  );
  return dataOf(answer).instance;
}

async function beating(): Promise<{ tenant: Tenant; node: Node }> {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  await panel.clock.advance(1_000);
  return { tenant, node };
}

test('a node that says that it stops is offline at once for that reason, whoever asks, and back with its next beat', async () => {
  const tenant = await panel.world.tenant();
  await using live = new Live<{ instanceChanged: Told }>(
    panel.panel.url,
    tenant.token,
    'subscription { instanceChanged { status statusReasons { code } } }',
  );
  await live.opened();
  // An event is read when it arrives: one that comes late would tell what is true by then.
  const node = await tenant.node();
  await live.received(1);
  await node.beat();
  await live.received(2);
  await panel.clock.advance(1_000);
  const stoppedAt = restTime(panel.clock.now());
  expect(await depart(node)).toMatchObject({ status: 204, text: '' });
  const stopped = { code: 'STOPPED', message: `The agent was stopped at ${stoppedAt}` };
  expect(await told(tenant, node)).toEqual({
    status: 'OFFLINE',
    statusReasons: [{ ...stopped, since: expect.stringContaining(stoppedAt.slice(0, -1)) }],
  });
  expect((await tenant.rest('/api/fleet/health')).body).toMatchObject([
    { status: 'offline', reasons: [{ code: 'stopped', since: stoppedAt }] },
  ]);
  expect((await tenant.rest('/api/fleet/summary')).body).toMatchObject({ healthy: 0, offline: 1 });
  expect((await tenant.rest<unknown[]>('/api/fleet/instances?status=offline')).body).toHaveLength(1);

  await live.received(3);
  await panel.clock.advance(5_000);
  await node.beat();
  expect(await told(tenant, node)).toEqual({ status: 'HEALTHY', statusReasons: [] });
  await live.received(4);
  expect(live.results.slice(2).map(({ data }) => data)).toEqual([
    { instanceChanged: { status: 'OFFLINE', statusReasons: [{ code: 'STOPPED' }] } },
    { instanceChanged: { status: 'HEALTHY', statusReasons: [] } },
  ]);
});

test('to say so again changes nothing; each call is in the trail as the node’s', async () => {
  const { tenant, node } = await beating();
  await depart(node);
  const first = await told(tenant, node);
  await panel.clock.advance(60_000);
  expect((await depart(node)).status).toBe(204);
  expect(await told(tenant, node)).toEqual(first);
  const rows = await panel.sql(
    `select topic, payload ->> 'actorKind' as kind from fleet.outbox
     where entity_id = $1 and (topic = 'fleet.instance.changed' and payload ->> 'to' = 'OFFLINE'
       or payload ->> 'action' = 'reportDeparture') order by topic`,
    [node.id],
  );
  expect(rows).toEqual([
    { topic: 'audit.mutation.recorded', kind: 'node' },
    { topic: 'audit.mutation.recorded', kind: 'node' },
    { topic: 'fleet.instance.changed', kind: null },
  ]);
});

test('a stopped node raises no alert; one that falls silent after its next beat does', async () => {
  const { tenant, node } = await beating();
  await depart(node);
  // Another that falls silent without a word shows when alerts would have been raised.
  const silent = await tenant.node();
  await silent.beat();
  await panel.clock.advance(91_000);
  await soon(panel, async () => (await alertsOf(tenant)).length > 0, 'the alert of the silent one', 120);
  expect((await alertsOf(tenant)).map(({ instance_id: id, message }) => [id, message])).toEqual([
    [silent.id, 'Heartbeats have stopped'],
  ]);
  await node.beat();
  await panel.clock.advance(91_000);
  await soon(panel, async () => (await alertsOf(tenant)).length > 1, 'the alert of the other', 120);
  expect((await told(tenant, node)).statusReasons).toMatchObject([{ code: 'NO_HEARTBEAT' }]);
});

test('an alert about silence is over once the node has said that it was stopped', async () => {
  const { tenant, node } = await beating();
  await panel.clock.advance(91_000);
  await soon(panel, async () => (await alertsOf(tenant)).length > 0, 'the alert', 120);
  expect((await depart(node)).status).toBe(204);
  await panel.clock.advance(60_000);
  const isOver = async () => (await alertsOf(tenant, '?status=resolved')).length === 1;
  await soon(panel, isOver, 'the end of the alert', 120);
  expect((await told(tenant, node)).statusReasons).toMatchObject([{ code: 'STOPPED' }]);
});

test('a node that never beat stays one that never connected', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  expect((await depart(node)).status).toBe(204);
  expect((await told(tenant, node)).statusReasons).toMatchObject([{ code: 'NEVER_CONNECTED' }]);
});

test('only a node may say so, only of itself, and not by a credential that was revoked', async () => {
  const [{ tenant, node }, other] = [await beating(), await beating()];
  await depart(other.node);
  expect((await told(tenant, node)).status).toBe('HEALTHY');
  expect([
    (await depart({ credential: tenant.token })).status,
    (await panel.world.rest('/api/agent/departure', { method: 'POST' })).status,
  ]).toEqual([403, 401]);
  await panel.sql('update fleet.instance set credential_generation = 2 where id = $1', [node.id]);
  const revoked = await panel.world.graphql('mutation { reportDeparture }', {}, node.credential);
  expect(refusal(revoked)).toEqual({ code: 'UNAUTHENTICATED', reason: 'TOKEN_REVOKED' });
  await until(async () => (await told(tenant, node)).status === 'HEALTHY', 'the node as it was');
});
