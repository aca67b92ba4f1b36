import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../../support/answers.js';
import { HeldLock } from '../../support/held-lock.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { nodesOf, report, sent, take, takeOne } from './support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const locked = async (id: string) =>
  HeldLock.by(panel, 'select 1 from fleet.command where id = $1 for update', [id]);

test('a beat that has no place free does not queue for the command', async () => {
  const tenant = await panel.world.tenant();
  const nodes = await nodesOf(tenant, 2);
  const id = await sent(tenant, nodes, { max_concurrency: 1 });
  await takeOne(nodes[0]!);
  await using lock = await locked(id);
  expect(await take(nodes[1]!)).toEqual([]);
  await lock.release();
});

test('what has gathered for a node is handed out in parts, oldest first, and each once', async () => {
  const tenant = await panel.world.tenant();
  const nodes = await nodesOf(tenant, 1);
  const ids: string[] = [];
  while (ids.length < 25) ids.push(await sent(tenant, nodes));
  const parts = [await take(nodes[0]!), await take(nodes[0]!), await take(nodes[0]!)];
  expect(parts.map((handed) => handed.map(({ id }) => id))).toEqual([ids.slice(0, 20), ids.slice(20), []]);
});

test('what may begin is handed out though hundreds wait before it that may not', async () => {
  const tenant = await panel.world.tenant();
  const [node, other] = await nodesOf(tenant, 2);
  const blocked = await sent(tenant, [node!, other!], { max_concurrency: 1 });
  await takeOne(other!);
  // As if as many had been sent as that one; each has its place taken by the other node.
  for (const table of ['command', 'command_invocation'])
    await panel.sql(
      `insert into fleet.${table} select (jsonb_populate_record(c, jsonb_build_object(
         '${table === 'command' ? 'id' : 'command_id'}', '${blocked}' || 'x' || n))).*
       from fleet.${table} c, generate_series(1, 250) n
       where c.${table === 'command' ? 'id' : 'command_id'} = $1`,
      [blocked],
    );
  const free = await sent(tenant, [node!]);
  expect((await take(node!)).map(({ id }) => id)).toEqual([free]);
});

test('a beat outside of the window does not queue for the command', async () => {
  const tenant = await panel.world.tenant();
  const nodes = await nodesOf(tenant, 1);
  const id = await sent(tenant, nodes);
  await freeze(tenant, null);
  await using lock = await locked(id);
  expect(await take(nodes[0]!)).toEqual([]);
  await lock.release();
});

test('a freeze holds back whoever is in its live group', async () => {
  const tenant = await panel.world.tenant();
  const [frozen, free] = await nodesOf(tenant, 2);
  dataOf(
    await tenant.graphql('mutation($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }', {
      input: { id: frozen!.id, name: String.raw`50%_off\web`, tags: ['web', 'eu'] },
    }),
  );
  const filters = [
    { tags: ['eu', 'web'] },
    { q: String.raw`50%_OFF\W` },
    { q: 'web', tags: ['web'], status: 'HEALTHY' },
  ];
  const seen: [number, number][] = [];
  for (const [at, filter] of filters.entries()) {
    const window = await freeze(tenant, await liveGroup(tenant, `Live ${at}`, filter));
    const id = await sent(tenant, [frozen!, free!]);
    seen.push([(await take(frozen!)).length, (await take(free!)).length]);
    await tenant.graphql('mutation($id: ID!) { deleteMaintenanceWindow(id: $id) { id } }', { id: window });
    expect((await take(frozen!)).map((handed) => handed.id)).toEqual([id]);
  }
  expect(seen).toEqual(filters.map(() => [0, 1]));
});

async function freeze(tenant: Tenant, groupId: string | null): Promise<string> {
  const { createMaintenanceWindow: made } = dataOf(
    await tenant.graphql<{ createMaintenanceWindow: { id: string } }>(
      'mutation($input: CreateMaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id } }',
      {
        input: {
          name: 'Freeze',
          effect: 'DENY',
          groupId,
          startsAt: panel.clock.now().toISOString(),
          durationMinutes: 600,
        },
      },
    ),
  );
  return made.id;
}

async function liveGroup(tenant: Tenant, name: string, filter: Record<string, unknown>): Promise<string> {
  const { createInstanceGroup: made } = dataOf(
    await tenant.graphql<{ createInstanceGroup: { id: string } }>(
      'mutation($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
      { input: { name, kind: 'LIVE', filter } },
    ),
  );
  return made.id;
}

test('of an instance that had more commands than a statement takes parameters the newest are listed first', async () => {
  const tenant = await panel.world.tenant();
  const [node, other] = await nodesOf(tenant, 2);
  const id = await sent(tenant, [node!]);
  const handed = await takeOne(node!);
  for (const status of ['in_progress', 'success']) await report(node!, handed, status);
  // Of the same age but for the number, which makes them newer.
  for (const [table, key] of Object.entries({ command: 'id', command_invocation: 'command_id' }))
    await panel.sql(
      `insert into fleet.${table} select (jsonb_populate_record(c, jsonb_build_object('${key}', $1 || n))).*
       from fleet.${table} c, generate_series(100001, 170000) n where c.${key} = $1`,
      [id],
    );
  await sent(tenant, [other!]);
  const query = `query($id: ID!) { commands(first: 2, filter: { instanceId: $id }) {
    totalCount nodes { id } } }`;
  expect(dataOf(await tenant.graphql(query, { id: node!.id }))).toEqual({
    commands: { totalCount: 70_001, nodes: [{ id: `${id}170000` }, { id: `${id}169999` }] },
  });
});

test('a window as a later version has it is left out of the list of the others, and nothing begins that it might hold back', async () => {
  const tenant = await panel.world.tenant();
  const [node] = await nodesOf(tenant, 1);
  const startsAt = new Date(panel.clock.now().getTime() + 3_600_000).toISOString();
  const create = async () =>
    dataOf(
      await tenant.graphql<{ createMaintenanceWindow: { id: string } }>(
        'mutation($input: CreateMaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id } }',
        { input: { name: 'Freeze', effect: 'DENY', startsAt, durationMinutes: 10 } },
      ),
    ).createMaintenanceWindow.id;
  const [later, known] = [await create(), await create()];
  await panel.sql('alter table fleet.maintenance_window drop constraint maintenance_window_repeats_check');
  await panel.sql(`update fleet.maintenance_window set repeats = 'YEARLY' where id = $1`, [later]);
  const listed = await tenant.graphql<{ maintenanceWindows: object }>(
    '{ maintenanceWindows { nodes { id repeats isOpen } totalCount } }',
  );
  expect(dataOf(listed).maintenanceWindows).toEqual({
    nodes: [{ id: known, repeats: 'NEVER', isOpen: false }],
    totalCount: 2,
  });
  await sent(tenant, [node!]);
  expect(await take(node!)).toEqual([]);
  await panel.sql('delete from fleet.maintenance_window where id = $1', [later]);
  expect(await take(node!)).toHaveLength(1);
});
