import { buildSchema, Kind, parse, type FragmentDefinitionNode, type OperationDefinitionNode } from 'graphql';
import { expect, test } from 'vitest';

import { compileCompletion, unfit } from '#gateway/completion.js';

const schema = buildSchema(`
  scalar DateTime
  enum Color { RED GREEN }
  interface Named { name: String! }
  type Item implements Named { id: ID! name: String! size: Int weight: Float color: Color at: DateTime tags: [String!] next: Item }
  type Query { items: [Item!]! item: Item named: Named }
`);

function compiled(text: string) {
  const document = parse(text);
  const operation = document.definitions[0] as OperationDefinitionNode;
  const fragments = document.definitions.filter(
    (node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION,
  );
  return compileCompletion(
    schema,
    operation,
    Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment])),
  );
}

test('an answer that is as the schema has it is given in the order asked for, without what was not asked for', () => {
  const complete = compiled(
    '{ all: items { ...F type: __typename color ... on Item { next { at } } next { id } } } fragment F on Item { tags id }',
  );
  const item = { id: '1', tags: ['a'], color: 'RED', secret: 'x', next: { id: '2', at: 'T' } };
  expect(JSON.stringify(complete?.({ all: [item], other: 1 }))).toBe(
    '{"all":[{"tags":["a"],"id":"1","type":"Item","color":"RED","next":{"at":"T","id":"2"}}]}',
  );
  expect(complete?.({ all: [{ id: '1' }] })).toEqual({
    all: [{ tags: null, id: '1', type: 'Item', color: null, next: null }],
  });
});

test('what is as it was asked for stays the same object, and what is not is never changed itself', () => {
  const complete = compiled('{ items { id name tags next { id } } }');
  const whole = {
    items: [
      { id: '1', name: 'a', tags: ['x'], next: null },
      { id: '2', name: 'b', tags: null, next: { id: '3' } },
    ],
  };
  const before = structuredClone(whole);
  expect(complete?.(whole)).toBe(whole);
  expect(whole).toEqual(before);
  const more = { id: '4', name: 'c', tags: null, next: null, secret: 'x' };
  const swapped = { name: 'd', id: '5', tags: null, next: { id: '6', at: 'T' } };
  const mixed = { items: [whole.items[0], more, swapped] };
  const copy = structuredClone(mixed);
  expect(JSON.stringify(complete?.(mixed))).toBe(
    '{"items":[{"id":"1","name":"a","tags":["x"],"next":null},{"id":"4","name":"c","tags":null,"next":null},{"id":"5","name":"d","tags":null,"next":{"id":"6"}}]}',
  );
  expect(mixed).toEqual(copy);
});

test.each([
  ['a null where none may be', { item: { id: null } }],
  ['an enum value that clients do not know', { item: { id: '1', color: 'BLUE' } }],
  ['a fraction for an Int', { item: { id: '1', size: 1.5 } }],
  ['text for a Float', { item: { id: '1', weight: '1' } }],
  ['one thing for a list', { item: { id: '1', tags: 'a' } }],
  ['a null in a list of none', { item: { id: '1', tags: [null] } }],
  ['a list for one thing', { item: [] }],
  ['nothing at all', null],
])('%s is unfit', (_, data) => {
  expect(compiled('{ item { id color size weight tags } }')?.(data)).toBe(unfit);
});

test.each([
  ['a type that is only known at run time', '{ named { name } }'],
  ['a condition', '{ item { id @include(if: true) } }'],
  ['a fragment on another type', '{ item { ... on Named { name } } }'],
  ['a key that objects have of themselves', '{ item { __proto__: id } }'],
  ['the schema', '{ __schema { queryType { name } } }'],
])('%s is left to Apollo', (_, text) => {
  expect(compiled(text)).toBeUndefined();
});
