import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';

import {
  buildSchema,
  getOperationAST,
  Kind,
  parse,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';

import { nodeCounter } from '#gateway/nodes.js';
import { nodesPerPoint } from '#gateway/rate-limit/policy.js';

const schema = buildSchema(`
  type Query { groups(first: Int): GroupPage! own: Group tops(first: Int! = 20): [Group!]! any: [Any!]! }
  type GroupPage { nodes: [Group!]! totalCount: Int! }
  type Group { id: ID names: [String!]! instances(first: Int): InstancePage! alerts: [Alert!]! leader: Instance }
  type InstancePage { nodes: [Instance!]! totalCount: Int! }
  type Instance { id: ID alerts: [Alert!]! group: Group }
  type Alert { id: ID }
  union Any = Group | Alert
`);

const nodesOf = (text: string, variables: Record<string, unknown> = {}): number =>
  nodesIn(parse(text), variables, schema);

function nodesIn(
  document: DocumentNode,
  variables: Record<string, unknown>,
  of: GraphQLSchema,
  name?: string,
): number {
  const fragments = Object.fromEntries(
    document.definitions
      .filter((each): each is FragmentDefinitionNode => each.kind === Kind.FRAGMENT_DEFINITION)
      .map((each) => [each.name.value, each]),
  );
  return nodeCounter(getOperationAST(document, name)!, of, fragments)(variables);
}

describe('the entries of lists that a document may have', () => {
  test.each([
    ['{ groups(first: 7) { nodes { id } } }', 7],
    ['{ groups(first: 7) { totalCount nodes { id names } } }', 7],
    ['{ groups { nodes { id } } }', 50],
    ['{ tops { id } }', 20],
    ['{ tops(first: 3) { alerts { id } } }', 3 * 2],
    ['{ own { leader { id } names } }', 0],
    ['{ own { alerts { id } leader { alerts { id } } } }', 2],
    [
      '{ groups(first: 10) { nodes { instances(first: 4) { nodes { id alerts { id } } } } } }',
      10 * (1 + 4 * 2),
    ],
    ['{ groups(first: 2) { nodes { a: alerts { id } b: alerts { id } } } }', 2 * 3],
    ['{ a: groups(first: 2) { nodes { id } } b: groups(first: 3) { nodes { id } } }', 5],
    [
      '{ groups(first: 2) { ...P } } fragment P on GroupPage { nodes { ... { ...G } } } fragment G on Group { alerts { id } }',
      4,
    ],
    ['{ any { ... on Group { instances(first: 5) { nodes { id } } } ... on Alert { id } } }', 1 + 5],
    ['{ __schema { types { fields { name } } } }', 0],
  ])('of %s are %i', (text, nodes) => {
    expect(nodesOf(text)).toBe(nodes);
  });

  test('follow variables, their defaults, and the defaults of the schema', () => {
    const text =
      'query ($n: Int, $m: Int = 6) { groups(first: $n) { nodes { instances(first: $m) { nodes { id } } } } }';
    expect(nodesOf(text)).toBe(50 * 7);
    expect(nodesOf(text, { n: 2 })).toBe(2 * 7);
    expect(nodesOf(text, { n: null, m: 1 })).toBe(50 * 2);
  });

  test.each([0, -3, 501, 2 ** 31 - 1])(
    'are those of the largest page where first is %i, for the subgraph to refuse',
    (first) => {
      expect(nodesOf(`{ groups(first: ${first}) { nodes { id } } }`)).toBe(500);
      expect(nodesOf('query ($n: Int) { groups(first: $n) { nodes { id } } }', { n: first })).toBe(500);
    },
  );

  test("of each of the console's documents cost it no more than one point", async () => {
    const api = buildSchema(readFileSync('schema/api.graphql', 'utf8'));
    const files: string[] = [];
    for await (const file of glob('web/**/*.graphql')) files.push(file);
    expect(files.length).toBeGreaterThan(10);
    const document = parse(files.map((file) => readFileSync(file, 'utf8')).join('\n'));
    const names = document.definitions.flatMap((each) =>
      each.kind === Kind.OPERATION_DEFINITION && each.name ? [each.name.value] : [],
    );
    const costly = names.filter((name) => nodesIn(document, { first: 500 }, api, name) > nodesPerPoint);
    expect(costly).toEqual([]);
  });
});
