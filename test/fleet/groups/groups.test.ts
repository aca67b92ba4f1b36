import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import type { Node, Tenant } from '../../support/world.js';
import { nodesOf, send, take } from '../commands/support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const create = async (tenant: Tenant, input: Record<string, unknown>) =>
  tenant.graphql<{ createInstanceGroup: { id: string } }>(
    'mutation($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
    { input },
  );
const group = async (tenant: Tenant, input: Record<string, unknown>) =>
  dataOf(await create(tenant, input)).createInstanceGroup.id;
const tag = async (tenant: Tenant, { id }: Node, ...tags: string[]) =>
  dataOf(
    await tenant.graphql('mutation($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }', {
      input: { id, tags },
    }),
  );
async function members(tenant: Tenant, id: string): Promise<string[]> {
  const { instanceGroup } = dataOf(
    await tenant.graphql<{ instanceGroup: { instances: { nodes: { id: string }[] } } }>(
      'query($id: ID!) { instanceGroup(id: $id) { instances { nodes { id } totalCount } } }',
      { id },
    ),
  );
  return instanceGroup.instances.nodes.map((node) => node.id);
}

describe('groups', () => {
  test('a live group is whoever its filter matches now; a static one stays as it was made', async () => {
    const tenant = await panel.world.tenant();
    const [one, two, three] = await nodesOf(tenant, 3);
    await tag(tenant, one!, 'eu', 'db');
    await tag(tenant, two!, 'eu');
    const live = await group(tenant, { name: 'Europe', kind: 'LIVE', filter: { tags: ['eu'] } });
    const frozen = await group(tenant, { name: 'Europe today', kind: 'STATIC', filter: { tags: ['eu'] } });
    const listed = await group(tenant, {
      name: 'By hand',
      kind: 'STATIC',
      instanceIds: [one!.id, three!.id],
    });
    await tag(tenant, two!);
    await tag(tenant, three!, 'eu');
    expect({
      live: await members(tenant, live),
      frozen: await members(tenant, frozen),
      listed: await members(tenant, listed),
    }).toEqual({
      live: [one!.id, three!.id],
      frozen: [one!.id, two!.id],
      listed: [one!.id, three!.id],
    });
  });

  test('a live group may go by status and by name too', async () => {
    const tenant = await panel.world.tenant();
    const [web, db] = [await tenant.node('web-01'), await tenant.node('db-01')];
    await web.beat();
    const healthy = await group(tenant, { name: 'Healthy', kind: 'LIVE', filter: { status: 'HEALTHY' } });
    const databases = await group(tenant, {
      name: 'Databases',
      kind: 'LIVE',
      filter: { q: 'DB-', status: 'OFFLINE' },
    });
    expect([await members(tenant, healthy), await members(tenant, databases)]).toEqual([[web.id], [db.id]]);
  });

  test('lists of instances narrow by group, by tags and by ids, and name nobody of another tenant', async () => {
    const tenant = await panel.world.tenant();
    const foreign = await (await panel.world.tenant()).node();
    const [one, two] = await nodesOf(tenant, 3);
    await tag(tenant, one!, 'eu', 'db');
    await tag(tenant, two!, 'eu');
    const id = await group(tenant, { name: 'One', kind: 'STATIC', instanceIds: [one!.id] });
    const list = async (filter: Record<string, unknown>) => {
      const { instances } = dataOf(
        await tenant.graphql<{ instances: { nodes: { id: string }[]; totalCount: number } }>(
          'query($filter: InstanceFilter) { instances(first: 1, filter: $filter) { nodes { id } totalCount } }',
          { filter },
        ),
      );
      return { first: instances.nodes.map((node) => node.id), total: instances.totalCount };
    };
    expect([
      await list({ tags: ['eu'] }),
      await list({ tags: ['eu', 'db'] }),
      await list({ groupId: id, status: 'OFFLINE' }),
      await list({ groupId: 'grp_none' }),
      await list({ ids: [two!.id, 'inst_none', foreign.id, two!.id] }),
      await list({ ids: [one!.id, two!.id], tags: ['db'] }),
      await list({ ids: [] }),
    ]).toEqual([
      { first: [one!.id], total: 2 },
      { first: [one!.id], total: 1 },
      { first: [one!.id], total: 1 },
      { first: [], total: 0 },
      { first: [two!.id], total: 1 },
      { first: [one!.id], total: 1 },
      { first: [], total: 0 },
    ]);
    const many = await tenant.graphql(
      'query($filter: InstanceFilter) { instances(filter: $filter) { nodes { id } } }',
      { filter: { ids: Array.from({ length: 1_001 }, () => one!.id) } },
    );
    expect(refusal(many)).toEqual({ code: 'VALIDATION_FAILED', details: { 'filter.ids': 'At most 1000' } });
  });

  test('is changed, and removed without its instances', async () => {
    const tenant = await panel.world.tenant();
    const [one, two] = await nodesOf(tenant, 2);
    const id = await group(tenant, { name: 'Some', kind: 'STATIC', instanceIds: [one!.id] });
    const update = async (input: Record<string, unknown>) =>
      tenant.graphql(
        'mutation($input: UpdateInstanceGroupInput!) { updateInstanceGroup(input: $input) { name createdBy } }',
        { input: { id, ...input } },
      );
    expect(dataOf(await update({ name: 'Others', instanceIds: [two!.id] }))).toEqual({
      updateInstanceGroup: { name: 'Others', createdBy: tenant.user.id },
    });
    expect(await members(tenant, id)).toEqual([two!.id]);
    expect(refusal(await update({ filter: { tags: ['eu'] } }))).toEqual({
      code: 'VALIDATION_FAILED',
      details: { 'input.filter': 'A static group has no filter' },
    });
    const remove = async () =>
      tenant.graphql('mutation($id: ID!) { deleteInstanceGroup(id: $id) { name } }', { id });
    expect(dataOf(await remove())).toEqual({ deleteInstanceGroup: { name: 'Others' } });
    expect(refusal(await remove())).toEqual({ code: 'NOT_FOUND' });
    expect((await tenant.rest<unknown[]>('/api/fleet/instances')).body).toHaveLength(2);
  });

  test('of two who say at the same time who is in it, one has the last word', async () => {
    const tenant = await panel.world.tenant();
    const [one, two, three] = await nodesOf(tenant, 3);
    const id = await group(tenant, { name: 'Some', kind: 'STATIC', instanceIds: [three!.id] });
    const set = async (node: Node) =>
      dataOf(
        await tenant.graphql(
          'mutation($input: UpdateInstanceGroupInput!) { updateInstanceGroup(input: $input) { id } }',
          { input: { id, instanceIds: [node.id] } },
        ),
      );
    const seen = new Set<number>();
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([set(one!), set(two!)]);
      seen.add((await members(tenant, id)).length);
    }
    expect([...seen]).toEqual([1]);
  });

  test('of two who put somebody in and take somebody out at the same time, both have their way', async () => {
    const tenant = await panel.world.tenant();
    const [one, two, three, four] = await nodesOf(tenant, 4);
    const id = await group(tenant, { name: 'Some', kind: 'STATIC', instanceIds: [one!.id, two!.id] });
    const change = async (input: Record<string, unknown>) =>
      tenant.graphql<{ updateInstanceGroup: { id: string } }>(
        'mutation($input: UpdateInstanceGroupInput!) { updateInstanceGroup(input: $input) { id } }',
        { input: { id, ...input } },
      );
    const changes = [
      { addInstanceIds: [three!.id] },
      { addInstanceIds: [four!.id], removeInstanceIds: [one!.id] },
    ];
    // The second round changes nothing any more.
    for (let round = 0; round < 2; round += 1) {
      for (const answer of await Promise.all(changes.map(change))) dataOf(answer);
      expect((await members(tenant, id)).toSorted()).toEqual([two!.id, three!.id, four!.id].toSorted());
    }
    const stranger = await (await panel.world.tenant()).node();
    expect([
      refusal(await change({ addInstanceIds: [one!.id, stranger.id] })),
      refusal(await change({ addInstanceIds: [one!.id], removeInstanceIds: [one!.id] })),
      refusal(await change({ instanceIds: [], addInstanceIds: [one!.id] })),
    ]).toEqual(
      [
        { 'input.addInstanceIds.1': `There is no instance ${stranger.id}` },
        { 'input.removeInstanceIds': 'An instance is either put in or taken out' },
        { 'input.addInstanceIds': 'It is not beside instanceIds, which says them all' },
      ].map((details) => ({ code: 'VALIDATION_FAILED', details })),
    );
    expect((await members(tenant, id)).toSorted()).toEqual([two!.id, three!.id, four!.id].toSorted());
    const live = await group(tenant, { name: 'Live', kind: 'LIVE', filter: { q: 'x' } });
    expect(refusal(await change({ id: live, removeInstanceIds: [one!.id] }))).toEqual({
      code: 'VALIDATION_FAILED',
      details: { 'input.removeInstanceIds': 'A live group has no instances of its own' },
    });
  });

  test('there may be 200 in a tenant, also when several are made at once', async () => {
    const tenant = await panel.world.tenant();
    await panel.sql(
      `insert into fleet.instance_group (tenant_id, id, name, kind, created_by, created_at)
       select $1, 'grp_' || n, 'Group ' || n, 'STATIC', 'usr_x', now() from generate_series(1, 197) n`,
      [tenant.id],
    );
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, at) =>
        create(tenant, { name: `More ${at}`, kind: 'STATIC', instanceIds: [] }),
      ),
    );
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(3);
    expect(refusal(answers.find(({ errors }) => errors)!)).toEqual({
      code: 'LIMIT_REACHED',
      reason: 'GROUPS_LIMIT',
      details: { limit: 200, used: 200 },
    });
  });

  test('a node that leaves the fleet leaves its groups', async () => {
    const tenant = await panel.world.tenant();
    const [one, two] = await nodesOf(tenant, 2);
    const id = await group(tenant, { name: 'Both', kind: 'STATIC', instanceIds: [one!.id, two!.id] });
    await tenant.rest(`/api/fleet/instances/${one!.id}`, { method: 'DELETE' });
    expect(await members(tenant, id)).toEqual([two!.id]);
  });

  test.for([
    [{ kind: 'LIVE' }, { 'input.filter': 'A live group needs a filter' }],
    [{ kind: 'LIVE', filter: {} }, { 'input.filter': 'Filter must have tags, a status or a text' }],
    [{ kind: 'STATIC' }, { 'input.instanceIds': 'A static group takes either instances or a filter' }],
    [
      { kind: 'STATIC', instanceIds: ['inst_none'] },
      { 'input.instanceIds.0': 'There is no instance inst_none' },
    ],
  ] as const)('%j is refused', async ([input, details]) => {
    const tenant = await panel.world.tenant();
    expect(refusal(await create(tenant, { name: 'Group', ...input }))).toEqual({
      code: 'VALIDATION_FAILED',
      details,
    });
  });

  test('names are taken once in a tenant, and only by those who may manage groups', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const input = { name: 'Europe', kind: 'LIVE', filter: { tags: ['eu'] } };
    const id = await group(tenant, input);
    await group(other, input);
    const taken = await create(tenant, { ...input, name: 'EUROPE' });
    const foreign = await other.graphql('query($id: ID!) { instanceGroup(id: $id) { name } }', { id });
    const viewer = await panel.world.graphql(
      'mutation($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
      { input },
      await tokenInRole(panel, tenant, 'VIEWER'),
    );
    expect([refusal(taken), refusal(foreign), refusal(viewer)]).toEqual([
      { code: 'CONFLICT', reason: 'NAME_TAKEN' },
      { code: 'NOT_FOUND' },
      { code: 'FORBIDDEN', reason: 'PERMISSION_MISSING' },
    ]);
  });
});

describe('commands to groups and tags', () => {
  test('reach whoever is in them when they are sent, each once', async () => {
    const tenant = await panel.world.tenant();
    const [one, two, three, four] = await nodesOf(tenant, 4);
    await tag(tenant, two!, 'eu', 'db');
    await tag(tenant, three!, 'eu');
    const europe = await group(tenant, { name: 'Europe', kind: 'LIVE', filter: { tags: ['eu'] } });
    const { body, status } = await send(tenant, [one!], { group_ids: [europe], tags: ['db'] });
    await tag(tenant, four!, 'eu');
    expect({ status, to: body.results.map(({ instance_id }) => instance_id) }).toEqual({
      status: 201,
      to: [one!.id, two!.id, three!.id],
    });
    expect([(await take(three!)).length, await take(four!)]).toEqual([1, []]);
  });

  test('nobody there, or no such group, is a 422 that says so', async () => {
    const [tenant, other] = [await panel.world.tenant(), await panel.world.tenant()];
    const foreign = await group(other, { name: 'Theirs', kind: 'LIVE', filter: { tags: ['eu'] } });
    const none = await send(tenant, [], { tags: ['nowhere'] });
    const unknown = await send(tenant, [], { group_ids: [foreign] });
    expect([none.body, unknown.body]).toEqual([
      { error: 'Validation failed', details: { tags: 'No instance is among these now' } },
      { error: 'Validation failed', details: { 'group_ids.0': `There is no group ${foreign}` } },
    ]);
  });
});
