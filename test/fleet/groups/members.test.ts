import 'reflect-metadata';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { countSql } from '#subgraphs/fleet/group/members.loader.js';

import { dataOf, refusal } from '../../support/answers.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';
import { nodesOf } from '../commands/support/commands.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const group = async (tenant: Tenant, input: Record<string, unknown>) =>
  dataOf(
    await tenant.graphql(
      'mutation($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
      {
        input,
      },
    ),
  );

test('pages of many groups are read together, each as if it were asked for alone', async () => {
  const tenant = await panel.world.tenant();
  const nodes = await nodesOf(tenant, 4);
  const ids = nodes.map(({ id }) => id);
  for (const { id } of nodes.slice(1))
    dataOf(
      await tenant.graphql(
        'mutation($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }',
        {
          input: { id, tags: ['eu'] },
        },
      ),
    );
  await group(tenant, { name: 'a', kind: 'STATIC', instanceIds: [ids[3], ids[0], ids[2]] });
  await group(tenant, { name: 'b', kind: 'LIVE', filter: { tags: ['eu'] } });
  await group(tenant, { name: 'c', kind: 'STATIC', instanceIds: [] });
  await group(tenant, { name: 'd', kind: 'LIVE', filter: { status: 'HEALTHY' } });
  const after = Buffer.from(ids[0]!).toString('base64url');
  const page = '{ nodes { id name status } pageInfo { hasNextPage } totalCount }';
  const { instanceGroups } = dataOf(
    await tenant.graphql<{ instanceGroups: { nodes: Record<string, unknown>[] } }>(
      `query($after: String) { instanceGroups { nodes {
         name one: instances(first: 1) ${page} two: instances(first: 2, after: $after) ${page} } } }`,
      { after },
    ),
  );
  const pageOf = (at: number[], hasNextPage: boolean, totalCount: number) => ({
    nodes: at.map((each) => ({ id: ids[each], name: nodes[each]!.name, status: 'OFFLINE' })),
    pageInfo: { hasNextPage },
    totalCount,
  });
  expect(instanceGroups.nodes).toEqual([
    { name: 'a', one: pageOf([0], true, 3), two: pageOf([2, 3], false, 3) },
    { name: 'b', one: pageOf([1], true, 3), two: pageOf([1, 2], true, 3) },
    { name: 'c', one: pageOf([], false, 0), two: pageOf([], false, 0) },
    { name: 'd', one: pageOf([], false, 0), two: pageOf([], false, 0) },
  ]);
});

test('no query is answered more of their instances than memory has room for', async () => {
  const tenant = await panel.world.tenant();
  const { id } = await tenant.node();
  await panel.sql(
    `insert into fleet.instance select (jsonb_populate_record(i, jsonb_build_object('id', i.id || '_' || n,
       'hostname', n || '.' || i.hostname))).* from fleet.instance i, generate_series(1, 149) n where i.id = $1`,
    [id],
  );
  await panel.sql(
    `insert into fleet.instance_group (tenant_id, id, name, kind, filter, created_by, created_at)
     select $1, 'grp_' || n, 'Group ' || n, 'LIVE', '{"q": "."}', 'usr_x', now() from generate_series(1, 200) n`,
    [tenant.id],
  );
  const ask = async (pages: string[]) =>
    tenant.graphql<{ instanceGroups: { nodes: Record<string, unknown>[] } }>(
      `{ instanceGroups(first: 200) { nodes { ${pages.map((args, at) => `a${at}: instances(${args}) { nodes { id } totalCount }`).join(' ')} } } }`,
    );
  const few = dataOf(await ask(Array.from({ length: 50 }, () => 'first: 1')));
  expect(few.instanceGroups.nodes).toHaveLength(200);
  expect(few.instanceGroups.nodes[199]!['a49']).toMatchObject({ totalCount: 150 });
  const tooMany = { code: 'BAD_REQUEST', reason: 'INSTANCES_TOO_MANY' };
  expect(refusal(await ask(['first: 150']))).toEqual(tooMany);
  expect(refusal(await ask(Array.from({ length: 11 }, () => 'first: 10')))).toEqual(tooMany);
  expect(refusal(await ask(Array.from({ length: 11 }, (_, at) => `first: ${at + 10}`)))).toEqual(tooMany);
});

test('the fleet is read once to tell how many are in each of its groups, whatever they filter by', async () => {
  const tenant = await panel.world.tenant();
  await nodesOf(tenant, 2);
  const filters = [{ tags: ['eu'] }, { status: 'OFFLINE' }, { q: 'node' }, { tags: ['eu'], q: 'n' }];
  for (const [at, filter] of filters.entries()) await group(tenant, { name: `${at}`, kind: 'LIVE', filter });
  const ids = await panel.sql<{ id: string }>('select id from fleet.instance_group where tenant_id = $1', [
    tenant.id,
  ]);
  let parameter = 0;
  const [row] = await panel.sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (analyze, format json) ${countSql.replace(/\?/g, () => `$${(parameter += 1)}`)}`,
    [tenant.id, JSON.stringify(ids.map(({ id }) => id)), panel.clock.now(), tenant.id, tenant.id],
  );
  expect(readsOf('instance', row!['QUERY PLAN'][0].Plan)).toBe(1);
});

interface PlanNode {
  'Relation Name'?: string;
  'Actual Loops': number;
  Plans?: PlanNode[];
}

/** How often the plan went through a table. */
function readsOf(table: string, { Plans = [], ...node }: PlanNode): number {
  const own = node['Relation Name'] === table ? node['Actual Loops'] : 0;
  return Plans.reduce((sum, plan) => sum + readsOf(table, plan), own);
}
