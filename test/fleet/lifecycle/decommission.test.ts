import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { modes, startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { until, type Node, type Tenant } from '../../support/world.js';
import { nodesOf, report, sent, statuses, takeOne } from '../commands/support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const remove = async (tenant: Tenant, { id }: Pick<Node, 'id'>) =>
  tenant.rest(`/api/fleet/instances/${id}`, { method: 'DELETE' });

describe('decommissioning', () => {
  test('the node is refused from its very next call, is in no list, and its place is free', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 5);
    const [gone, ...left] = nodes;
    for (const node of nodes) await node.beat();
    const answer = await remove(tenant, gone!);
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: '' });
    const beat = await gone!.beat();
    expect({ status: beat.status, body: beat.body }).toEqual({
      status: 401,
      body: { error: 'The credential was revoked' },
    });
    const detail = await tenant.rest(`/api/fleet/instances/${gone!.id}`);
    const metrics = await tenant.rest(`/api/fleet/metrics/${gone!.id}`);
    expect([detail.status, metrics.status]).toEqual([404, 404]);
    const listed = await tenant.rest<{ id: string }[]>('/api/fleet/instances');
    expect(listed.body.map(({ id }) => id)).toEqual(left.map(({ id }) => id));
    const summary = await tenant.rest<{ total_instances: number; healthy: number }>('/api/fleet/summary');
    expect(summary.body).toMatchObject({ total_instances: 4, healthy: 4 });
    expect((await tenant.node()).id, 'a sixth node on a plan for five').toMatch(/^inst_/);
  });

  test('its commands end as undeliverable, and what has ended stays as it was', async () => {
    const tenant = await panel.world.tenant();
    const nodes = await nodesOf(tenant, 2);
    const done = await sent(tenant, [nodes[0]!]);
    await report(nodes[0]!, await takeOne(nodes[0]!), 'success');
    const both = await sent(tenant, nodes);
    await report(nodes[0]!, await takeOne(nodes[0]!), 'in_progress');
    await remove(tenant, nodes[0]!);
    await report(nodes[1]!, await takeOne(nodes[1]!), 'success');
    expect([await statuses(tenant, done, [nodes[0]!]), await statuses(tenant, both, nodes)]).toEqual([
      { command: 'success', nodes: ['success'] },
      { command: 'incomplete', nodes: ['undeliverable', 'success'] },
    ]);
  });

  test('its history is kept, and it is remembered who took it out', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node('old-timer');
    await node.beat();
    await remove(tenant, node);
    const { formerInstances } = dataOf(
      await tenant.graphql<{ formerInstances: { nodes: unknown[]; totalCount: number } }>(
        '{ formerInstances { nodes { id name hostname decommissionedBy } totalCount } }',
      ),
    );
    expect(formerInstances).toEqual({
      nodes: [
        {
          id: node.id,
          name: 'old-timer',
          hostname: 'old-timer.example.com',
          decommissionedBy: tenant.user.id,
        },
      ],
      totalCount: 1,
    });
    const samples = await panel.sql('select from fleet.metrics_sample where instance_id = $1', [node.id]);
    expect(samples).toHaveLength(1);
  });

  test('whoever mirrors the fleet is told who left, also afterwards, and finds them by id, time and name', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const watch = async (after?: string) => {
      const live = new Live(
        panel.panel.url,
        tenant.token,
        'subscription { instanceDecommissioned { id name } }',
        { after },
      );
      await live.opened();
      return live;
    };
    await using live = await watch();
    const [first, second] = [await tenant.node('first'), await tenant.node('second')];
    await remove(other, await other.node('foreign'));
    await remove(tenant, first);
    await live.received(1);
    await panel.clock.advance(60_000);
    const since = panel.clock.now().toISOString();
    await remove(tenant, second);
    await live.received(2);
    const told = [
      { instanceDecommissioned: { id: first.id, name: 'first' } },
      { instanceDecommissioned: { id: second.id, name: 'second' } },
    ];
    expect(live.results.map(({ data }) => data)).toEqual(told);
    await using back = await watch(live.results[0]!.extensions!.cursor);
    await back.received(1);
    expect(back.results.map(({ data }) => data)).toEqual(told.slice(1));

    const one = 'query ($id: ID!) { formerInstance(id: $id) { name } }';
    const some = `query ($filter: FormerInstanceFilter) {
      formerInstances(filter: $filter) { nodes { name } totalCount }
    }`;
    const found = async (filter: object) => dataOf(await tenant.graphql(some, { filter })).formerInstances;
    expect([await found({ since }), await found({ q: 'IRS' }), await found({ since, q: 'irs' })]).toEqual([
      { nodes: [{ name: 'second' }], totalCount: 1 },
      { nodes: [{ name: 'first' }], totalCount: 1 },
      { nodes: [], totalCount: 0 },
    ]);
    expect(dataOf(await tenant.graphql(one, { id: first.id })).formerInstance).toEqual({ name: 'first' });
    expect(refusal(await other.graphql(one, { id: first.id }))).toEqual({ code: 'NOT_FOUND' });
  });

  test('the second time it is not found, and neither is another tenant’s', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const [node, foreign] = [await tenant.node(), await other.node()];
    const answers = [await remove(tenant, node), await remove(tenant, node), await remove(tenant, foreign)];
    expect(answers.map(({ status }) => status)).toEqual([204, 404, 404]);
    expect((await foreign.beat()).status).toBe(200);
  });

  test('viewers may not', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const token = await tokenInRole(panel, tenant, 'VIEWER');
    const answer = await panel.world.rest(`/api/fleet/instances/${node.id}`, { method: 'DELETE', token });
    expect(answer.status).toBe(403);
  });
});

describe.each(modes)('live, %s', (mode) => {
  test('dashboards see the fleet become smaller', async () => {
    await using own = await startTestPanel({}, mode);
    const tenant = await own.world.tenant();
    const node = await tenant.node();
    await using live = new Live(
      own.panel.url,
      tenant.token,
      'subscription { fleetHealthChanged { totalInstances } }',
    );
    await live.opened();
    await remove(tenant, node);
    // The enrollment may come as an event too.
    const newest = () => JSON.stringify(live.results.at(-1)?.data ?? {});
    await until(async () => newest().includes(':0'), 'the fleet to be empty');
    expect(live.results.at(-1)?.data).toEqual({ fleetHealthChanged: { totalInstances: 0 } });
  });
});

describe('renaming and tagging', () => {
  const update = 'mutation($input: UpdateInstanceInput!) { updateInstance(input: $input) { id name tags } }';

  test('changes what is given and leaves the rest', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node('first');
    const renamed = dataOf(await tenant.graphql(update, { input: { id: node.id, name: ' second ' } }));
    const tagged = dataOf(await tenant.graphql(update, { input: { id: node.id, tags: ['eu', 'eu', 'db'] } }));
    const cleared = dataOf(await tenant.graphql(update, { input: { id: node.id, tags: [] } }));
    expect([renamed, tagged, cleared].map(({ updateInstance }) => updateInstance)).toEqual([
      { id: node.id, name: 'second', tags: [] },
      { id: node.id, name: 'second', tags: ['eu', 'db'] },
      { id: node.id, name: 'second', tags: [] },
    ]);
  });

  test('gives and takes away single tags, beside what others give at the same time', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node('first');
    const change = async (input: object) => tenant.graphql(update, { input: { id: node.id, ...input } });
    await change({ tags: ['eu', 'db'] });
    await Promise.all([
      change({ addTags: ['prod', 'eu'] }),
      change({ removeTags: ['db', 'none'] }),
      change({ name: 'second' }),
    ]);
    expect(dataOf(await change({})).updateInstance).toEqual({
      id: node.id,
      name: 'second',
      tags: ['eu', 'prod'],
    });
    const nineteen = Array.from({ length: 19 }, (_, at) => `t${at}`);
    expect([
      refusal(await change({ addTags: nineteen })).details,
      refusal(await change({ addTags: ['a'], removeTags: ['a'] })).details,
      refusal(await change({ tags: ['a'], addTags: ['b'] })).details,
    ]).toEqual([
      { 'input.addTags': 'At most 20 tags' },
      { 'input.removeTags': 'A tag is either given or taken away' },
      { 'input.addTags': 'It is not beside tags, which says them all' },
    ]);
  });

  test('a beat that comes at the same time takes nothing back', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node('first');
    await node.beat();
    await panel.clock.advance(1_000);
    await Promise.all([
      tenant.graphql(update, { input: { id: node.id, name: 'second' } }),
      node.beat({ cpu_percent: 77 }),
    ]);
    const { body } = await tenant.rest(`/api/fleet/instances/${node.id}`);
    expect(body).toMatchObject({ name: 'second', cpu_percent: 77 });
  });

  test('bad names and tags are refused by their place, foreign instances are not found', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const [node, foreign] = [await tenant.node(), await other.node()];
    const bad = await tenant.graphql(update, { input: { id: node.id, name: ' ', tags: ['ok', 'Not OK'] } });
    const strange = await tenant.graphql(update, { input: { id: foreign.id, name: 'mine' } });
    const asNode = await panel.world.graphql(
      update,
      { input: { id: node.id, name: 'self' } },
      node.credential,
    );
    expect([refusal(bad), refusal(strange), refusal(asNode)]).toEqual([
      {
        code: 'VALIDATION_FAILED',
        details: {
          'input.name': 'Name is required',
          'input.tags.1': 'A tag has 1 to 64 of a-z, 0-9, ".", "_", ":" and "-"',
        },
      },
      { code: 'NOT_FOUND' },
      { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    ]);
  });

  test("the sign-in page shows a node's new name, and knows no node that has left", async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node('first');
    const client = async () => {
      await panel.clock.advance(1_000);
      const [row] = await panel.sql<{ name: string; revoked: boolean }>(
        'select name, revoked_at is not null as revoked from identity.oauth_client where instance_id = $1',
        [node.id],
      );
      return row;
    };
    await tenant.graphql(update, { input: { id: node.id, name: 'second' } });
    await until(async () => (await client())?.name === 'second', 'the new name');
    await remove(tenant, node);
    await until(async () => (await client())?.revoked === true, 'the client to be revoked');
    expect(await client()).toEqual({ name: 'second', revoked: true });
  });
});
