import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Live } from '../support/live.js';
import { modes, startTestPanel, type TestPanel } from '../support/panel.js';
import { ordinaryBeat } from '../support/world.js';

const broken = [{ component: 'backup', status: 'unhealthy' }];
const query = 'subscription { instanceChanged { name status tenant { name } } }';
const statuses = (live: Live) =>
  live.results.map(({ data }) => (data as { instanceChanged: { status: string } }).instanceChanged.status);

describe.each(modes)('%s', (mode) => {
  let panel: TestPanel;
  beforeAll(async () => {
    panel = await startTestPanel({}, mode);
  });
  afterAll(async () => panel.stop());

  test("an enrollment and the first beat arrive as events that carry the tenant's name from identity", async () => {
    const tenant = await panel.world.tenant('Acme');
    await using live = new Live(panel.panel.url, tenant.token, query);
    await live.opened();
    const node = await tenant.node('n1');
    await live.received(1);
    await node.beat();
    await live.received(2);
    expect(live.results.map(({ data }) => data)).toEqual([
      { instanceChanged: { name: 'n1', status: 'OFFLINE', tenant: { name: 'Acme' } } },
      { instanceChanged: { name: 'n1', status: 'HEALTHY', tenant: { name: 'Acme' } } },
    ]);
  });

  test('a subscriber that comes back with its last cursor gets what it missed, once and in order', async () => {
    const tenant = await panel.world.tenant();
    const live = new Live(panel.panel.url, tenant.token, query);
    await live.opened();
    const first = await tenant.node();
    await live.received(1);
    const after = live.lastCursor;
    await live.close();

    await first.beat();
    await tenant.node();
    await using back = new Live(panel.panel.url, tenant.token, query, { after });
    await back.received(2);
    await tenant.node();
    await back.received(3);
    expect(statuses(back)).toEqual(['HEALTHY', 'OFFLINE', 'OFFLINE']);
  });

  test("a subscriber sees nothing of another tenant's fleet", async () => {
    const [mine, other] = [await panel.world.tenant(), await panel.world.tenant()];
    await using live = new Live(panel.panel.url, mine.token, query);
    await live.opened();
    await (await other.node()).beat();
    await mine.node('mine');
    await live.received(1);
    expect(
      live.results.map(({ data }) => (data as { instanceChanged: { name: string } }).instanceChanged.name),
    ).toEqual(['mine']);
  });

  test('a filter by instance and by status leaves out the rest', async () => {
    const tenant = await panel.world.tenant();
    const [watched, other] = [await tenant.node('watched'), await tenant.node('other')];
    await using live = new Live(
      panel.panel.url,
      tenant.token,
      'subscription($id: ID) { instanceChanged(instanceId: $id, status: DEGRADED) { name } }',
      { variables: { id: watched.id } },
    );
    await live.opened();
    await other.beat({ health: broken });
    await watched.beat();
    await panel.clock.advance(1_000);
    await watched.beat({ health: broken });
    await live.received(1);
    expect(live.results.map(({ data }) => data)).toEqual([{ instanceChanged: { name: 'watched' } }]);
  });

  test('whatever else an instance shows is told of when it changes: name, tags, version, facts, an exchange of its credential', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node('before');
    const shown = 'subscription { instanceChanged { name tags version facts isCredentialRotating } }';
    await node.beat();
    await using live = new Live(panel.panel.url, tenant.token, shown);
    await live.opened();
    const told = async (wanted: object) => {
      const latest = () => live.results.at(-1)?.data as { instanceChanged: unknown } | undefined;
      await expect.poll(() => latest()?.instanceChanged).toMatchObject(wanted);
    };
    const change = async (input: object) =>
      tenant.graphql('mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }', {
        input: { id: node.id, ...input },
      });
    await change({ name: 'after' });
    await told({ name: 'after', tags: [], isCredentialRotating: false });
    // What was told before, that it has come and that it has beaten, is told by now.
    await using ofStatus = new Live(
      panel.panel.url,
      tenant.token,
      'subscription { instanceChanged(status: OFFLINE) { name } }',
    );
    await ofStatus.opened();
    await change({ tags: ['web'] });
    await told({ name: 'after', tags: ['web'] });
    await panel.clock.advance(1_000);
    await node.beat({ version: '9.9.9', facts: { backup: { encryption: true } } });
    await told({ version: '9.9.9', facts: { backup: { encryption: true } } });
    const rotate = 'mutation ($id: ID!) { rotateInstanceCredential(id: $id) { id } }';
    await tenant.graphql(rotate, { id: node.id });
    await told({ isCredentialRotating: true });
    await panel.clock.advance(1_000);
    const { body } = await node.beat();
    await panel.world.rest('/api/agent/heartbeat', { token: String(body['credential']), body: ordinaryBeat });
    await told({ isCredentialRotating: false });
    // None of it is a change to a status; and one that leaves has nothing left to show.
    await tenant.graphql('mutation ($id: ID!) { decommissionInstance(id: $id) { id } }', { id: node.id });
    await tenant.node('next');
    await told({ name: 'next' });
    expect(live.results.filter(({ errors }) => errors)).toEqual([]);
    await ofStatus.received(1);
    expect(ofStatus.results.map(({ data }) => data)).toEqual([{ instanceChanged: { name: 'next' } }]);
  });

  test('a cursor that is none is refused, and so is a subscription without a token', async () => {
    const tenant = await panel.world.tenant();
    await using garbled = new Live(panel.panel.url, tenant.token, query, { after: 'garbled' });
    await garbled.ended();
    await using anonymous = new Live(panel.panel.url, undefined, query);
    await anonymous.ended();
    expect([garbled.firstErrorCode, anonymous.firstErrorCode]).toEqual(['BAD_REQUEST', 'UNAUTHENTICATED']);
  });

  test('a subscription sent over POST is a 400 that says how to subscribe', async () => {
    const tenant = await panel.world.tenant();
    const answer = await tenant.rest<{ errors: { message: string }[] }>('/graphql', { body: { query } });
    expect({ status: answer.status, message: answer.body.errors[0]?.message }).toEqual({
      status: 400,
      message:
        'Subscriptions are served at this address over a WebSocket (protocol graphql-transport-ws), and as Server-Sent ' +
        'Events to requests that accept text/event-stream',
    });
  });
});
