import { readFileSync } from 'node:fs';

import { buildSchema, getNamedType, isLeafType, isObjectType, type GraphQLObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Node, Tenant } from '../support/world.js';
import { group, rulesInForce, set } from './alerts/support/overrides.js';

const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
const selections = Object.values((schema.getType('Instance') as GraphQLObjectType).getFields()).map(
  ({ name, type }) => {
    const named = getNamedType(type);
    if (!isObjectType(named)) return name;
    const leaves = Object.values(named.getFields()).filter((field) => isLeafType(getNamedType(field.type)));
    return `${name} { ${leaves.map((leaf) => leaf.name).join(' ')} }`;
  },
);

let panel: TestPanel;
let tenant: Tenant;
let nodes: Node[];
beforeAll(async () => {
  panel = await startTestPanel();
  tenant = await panel.world.tenant();
  nodes = [await tenant.node('silent'), await tenant.node('degraded'), await tenant.node('new')];
  const [silent, degraded] = nodes;
  await silent!.beat();
  await panel.clock.advance(10 * 60_000);
  await degraded!.beat({ disk_percent: 97, load_average: 1.5 });
});
afterAll(async () => panel.stop());

interface Shown {
  it: unknown;
}

test.for(selections)(
  'a list that is asked for nothing but %s shows it as each instance does',
  async (selection) => {
    const answer = await tenant.graphql<Record<string, Shown> & { instances: { nodes: Shown[] } }>(
      `query($a: ID!, $b: ID!, $c: ID!, $no: Boolean!) {
       a: instance(id: $a) { it: ${selection} }
       b: instance(id: $b) { it: ${selection} }
       c: instance(id: $c) { it: ${selection} }
       instances { nodes { ...shown name @include(if: $no) } }
     }
     fragment shown on Instance { ... { it: ${selection} } }`,
      { ...Object.fromEntries(nodes.map(({ id }, at) => ['abc'[at], id])), no: false },
    );
    const { instances, a, b, c } = dataOf(answer);
    expect(instances.nodes).toEqual([a, b, c]);
  },
);

test('a list that is asked for twice under one name has what both ask for', async () => {
  const answer = await tenant.graphql<{ page: { nodes: object[] } }>(
    `{ page: instances { all: nodes { hostname } nodes { id } } page: instances { nodes { status tags __typename } } }`,
  );
  const { page } = dataOf(answer);
  expect(page.nodes).toEqual([
    { id: nodes[0]!.id, status: 'OFFLINE', tags: [], __typename: 'Instance' },
    { id: nodes[1]!.id, status: 'DEGRADED', tags: [], __typename: 'Instance' },
    { id: nodes[2]!.id, status: 'OFFLINE', tags: [], __typename: 'Instance' },
  ]);
});

test('which rules are in force for a list of instances is found by as many reads as for one', async () => {
  const other = await panel.world.tenant();
  const { id } = await other.node('first');
  for (const [name, more] of Object.entries({
    static: { kind: 'STATIC', instanceIds: [id] },
    live: { kind: 'LIVE', filter: { q: 'first' } },
  }))
    await set(other, { kind: 'CPU', groupId: await group(other, name, more), threshold: 60 });
  const tables = ['alert_rule', 'alert_rule_override', 'instance', 'instance_group', 'instance_group_member'];
  // Taken once by each statement of the API's own role that reads a table.
  await panel.sql('create sequence fleet.reads');
  await panel.sql('grant usage on sequence fleet.reads to fleet_app');
  for (const table of tables)
    await panel.sql(`create policy reads on fleet.${table} as restrictive for select to fleet_app
      using ((select nextval('fleet.reads')) is not null)`);
  const reads = async () => {
    const [before] = await panel.sql<{ at: number }>(`select nextval('fleet.reads')::int as at`);
    const found = (await rulesInForce(other)).size;
    const [after] = await panel.sql<{ at: number }>(`select nextval('fleet.reads')::int as at`);
    return { found, reads: after!.at - before!.at - 1 };
  };
  const one = await reads();
  await panel.sql(
    `insert into fleet.instance select (jsonb_populate_record(i, jsonb_build_object('id', i.id || '_' || n,
       'hostname', n || '.' || i.hostname))).* from fleet.instance i, generate_series(1, 30) n where i.id = $1`,
    [id],
  );
  const many = await reads();
  for (const table of tables) await panel.sql(`drop policy reads on fleet.${table}`);
  expect(one).toEqual({ found: 1, reads: expect.any(Number) });
  expect(one.reads).toBeGreaterThanOrEqual(tables.length);
  expect(many.reads).toBe(one.reads);
});
