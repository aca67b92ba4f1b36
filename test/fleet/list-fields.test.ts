import { readFileSync } from 'node:fs';

import { buildSchema, getNamedType, isLeafType, isObjectType, type GraphQLObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Node, Tenant } from '../support/world.js';

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
let node: Node;
beforeAll(async () => {
  panel = await startTestPanel();
  tenant = await panel.world.tenant();
  node = await tenant.node('node');
  await node.beat({ disk_percent: 97, load_average: 1.5 });
});
afterAll(async () => panel.stop());

interface Answer {
  instance: Record<string, unknown>;
  instances: { nodes: Record<string, unknown>[] };
}

test.for(selections)(
  'a list that is asked for nothing but %s shows it as the instance does',
  async (selection) => {
    const answer = await tenant.graphql<Answer>(
      `query($id: ID!) { instance(id: $id) { it: ${selection} } instances { nodes { ...shown } } }
     fragment shown on Instance { ... { it: ${selection} } }`,
      { id: node.id },
    );
    const { instance, instances } = dataOf(answer);
    expect(instances.nodes).toEqual([instance]);
    expect(instance['it']).not.toBeUndefined();
  },
);
