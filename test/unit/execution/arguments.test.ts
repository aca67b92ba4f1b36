import fc from 'fast-check';
import {
  buildSchema,
  getArgumentValues,
  parse,
  type FieldNode,
  type GraphQLField,
  type OperationDefinitionNode,
} from 'graphql';
import { expect, test } from 'vitest';

import { argumentsReader } from '#platform/execution/arguments.js';
import { Run, type Definition } from '#platform/execution/run.js';

const schema = buildSchema(`
  scalar Odd
  enum Color { RED GREEN }
  input Deep { n: Int! = 3, must: ID!, f: Float, s: [String!], deep: Deep, color: Color, odd: Odd, one: One }
  input One @oneOf { a: Int, b: String }
  type Query {
    f(deep: Deep, must: Deep!, one: One, list: [Deep!], n: Int! = 4, color: Color = RED, odd: Odd, id: ID!): Int
  }
`);
const field = schema.getQueryType()!.getFields()['f'] as GraphQLField<unknown, unknown>;

const variableNames = ['v1', 'v2', 'v3', 'constructor'] as const;
const leaf = fc.oneof(
  fc.constantFrom('1', '2.5', '"text"', 'RED', 'BLUE', 'true', 'null'),
  fc.constantFrom(...variableNames.map((name) => `$${name}`)),
);
const fieldNames = fc.constantFrom('n', 'must', 'f', 's', 'deep', 'color', 'odd', 'one', 'a', 'b', 'unknown');
const { literal } = fc.letrec<{ literal: string; object: string; list: string }>((tie) => ({
  literal: fc.oneof({ depthSize: 'small' }, leaf, tie('object'), tie('list')),
  object: fc
    .array(fc.tuple(fieldNames, tie('literal')), { maxLength: 5 })
    .map((entries) => `{ ${entries.map(([name, value]) => `${name}: ${value}`).join(' ')} }`),
  list: fc.array(tie('literal'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
}));
const given = fc.dictionary(fc.constantFrom(...field.args.map(({ name }) => name)), literal, { maxKeys: 6 });
const variables = fc.dictionary(
  fc.constantFrom(...variableNames),
  fc.constantFrom<unknown>(1, 'text', null, undefined, { must: '1' }, [1]),
);

function nodeOf(args: Record<string, string>): FieldNode {
  const entries = Object.entries(args).map(([name, value]) => `${name}: ${value}`);
  const document = parse(`{ f${entries.length > 0 ? `(${entries.join(' ')})` : ''} }`);
  return (document.definitions[0] as OperationDefinitionNode).selectionSet.selections[0] as FieldNode;
}

function told(read: () => unknown): { values: unknown } | { thrown: string } {
  try {
    return { values: read() };
  } catch (error) {
    return { thrown: (error as Error).message };
  }
}

/** `must` and `id` have to be given, and right. */
const fitting = fc.record(
  {
    must: fc.constantFrom('{ must: "1" }', '{ must: $v1 }', '$v2', '{ must: 1 deep: { must: $v2 n: $v3 } }'),
    id: fc.constantFrom('"1"', '2', '$v1'),
    deep: fc.oneof(literal, fc.constantFrom('{ must: $v1, one: { a: $v2 } }', 'null', '$constructor')),
    one: fc.constantFrom('{ a: 1 }', '{ a: $v1 }', '{ a: 1, b: $v2 }', '{ b: null }', '{}'),
    list: fc.constantFrom('[]', '{ must: 1 }', '[{ must: $v1 }]', '[$v2]', '$v3'),
  },
  { requiredKeys: ['must', 'id'] },
);

test('arguments are what graphql-js makes of them, and so is what is wrong with them, whatever the document and variables', () => {
  const found = { right: 0, wrong: 0 };
  const isAlike = (args: Record<string, string>, values: Record<string, unknown>) => {
    const node = nodeOf(args);
    const expected = told(() => getArgumentValues(field, node, values));
    found['values' in expected ? 'right' : 'wrong'] += 1;
    const run = new Run({} as Definition, undefined, undefined, values);
    const read = argumentsReader(field, node, () => 0);
    // The second time they may be those that are kept of the first.
    for (const _ of [1, 2]) expect(told(() => read(run))).toStrictEqual(expected);
  };
  fc.assert(fc.property(given, variables, isAlike), { numRuns: 600 });
  fc.assert(fc.property(fitting, variables, isAlike), { numRuns: 1_500 });
  expect(found.right).toBeGreaterThan(50);
  expect(found.wrong).toBeGreaterThan(100);
}, 60_000);
