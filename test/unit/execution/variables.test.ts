import fc from 'fast-check';
import {
  buildSchema,
  getVariableValues,
  type GraphQLScalarType,
  parse,
  type OperationDefinitionNode,
} from 'graphql';
import { expect, test } from 'vitest';

import { variableReader } from '#platform/execution/variables.js';

const schema = buildSchema(`
  scalar Odd
  enum Color { RED GREEN }
  input Deep { n: Int! = 3 must: ID! f: Float s: [String!] deep: Deep color: Color odd: Odd table: [[Int]!] flag: Boolean = true }
  input One @oneOf { a: Int b: String deep: Deep }
  type Query { f: Int }
`);
const odd = schema.getType('Odd') as GraphQLScalarType;
odd.parseValue = (value) => {
  if (value === 'throw') throw new TypeError('odd value');
  return value === 'nothing' ? undefined : { of: value };
};

const document = parse(`query (
  $deep: Deep $must: Deep! $one: One $list: [Int!] $lists: [[Color]] $odd: Odd $n: Int! $other: Int! = 4
  $given: Deep = { must: 1, s: "one", odd: "x" } $no: Query $text: [String]
) { f }`);
const { variableDefinitions = [] } = document.definitions[0] as OperationDefinitionNode;
const usable = variableDefinitions.filter(({ variable }) => variable.name.value !== 'no');

const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    1,
    2.5,
    'RED',
    'text',
    true,
    null,
    undefined,
    'throw',
    'nothing',
    2 ** 40,
    Number.NaN,
  ),
  fc.constantFrom<unknown>([], {}, new Set([1, 2]), new Map([['a', 1]]), Symbol.for('odd'), () => 1),
);
const names = fc.constantFrom(
  'n',
  'must',
  'f',
  's',
  'deep',
  'color',
  'odd',
  'table',
  'flag',
  'a',
  'b',
  'other',
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  ),
}));
/** What mostly fits, so that not all is refused at its first value. */
const deep: fc.Arbitrary<unknown> = fc.record(
  {
    must: fc.oneof(fc.constant('id'), fc.constant(7)),
    n: fc.integer({ min: 0, max: 9 }),
    f: fc.oneof(fc.constant(null), fc.double({ noNaN: true })),
    s: fc.oneof(fc.constant('one'), fc.array(fc.string())),
    color: fc.constantFrom('RED', 'GREEN'),
    odd: fc.constantFrom('odd', 1, null),
    table: fc.constantFrom([[1], [2, null]], [], [1], 1),
    deep: fc.record({ must: fc.constant('below') }),
  },
  { requiredKeys: ['must'] },
);
const mostly = (fitting: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: fitting, weight: 15 }, { arbitrary: value, weight: 1 });
const inputs = fc.record(
  {
    deep: mostly(deep),
    must: mostly(deep),
    one: mostly(fc.constantFrom<unknown>({ a: 1 }, { b: 'x' }, { deep: { must: 'x' } })),
    list: mostly(fc.oneof(fc.array(fc.integer({ max: 9, min: 0 })), fc.constant(5))),
    lists: mostly(fc.constantFrom<unknown>([['RED']], 'RED', ['GREEN', null])),
    odd: mostly(fc.constant('odd')),
    n: mostly(fc.constant(1)),
    other: mostly(fc.constant(1)),
    given: mostly(deep),
    text: mostly(fc.oneof(fc.array(fc.string()), fc.string())),
    unknown: value,
  },
  { requiredKeys: ['must', 'n'] },
);

test('variables are what graphql-js makes of them, and so is what is wrong with them', () => {
  let fits = 0;
  const told = ({ coerced, errors }: ReturnType<typeof getVariableValues>) => {
    if (coerced) fits += 1;
    return { coerced, errors: errors?.map(({ message, locations }) => ({ message, locations })) };
  };
  fc.assert(
    fc.property(inputs, fc.constantFrom(1, 50), (given, maxErrors) => {
      const expected = getVariableValues(schema, usable, given, { maxErrors });
      expect(told(variableReader(schema).values(usable, given, { maxErrors }))).toStrictEqual(told(expected));
    }),
    { numRuns: 800 },
  );
  expect(fits).toBeGreaterThan(200);
}, 60_000);

test('a variable that is of no type for input is refused as by graphql-js', () => {
  const read = variableReader(schema).values(variableDefinitions, { n: 1 }, { maxErrors: 50 });
  expect(read.errors?.map(({ message }) => message)).toEqual(
    getVariableValues(schema, variableDefinitions, { n: 1 }, { maxErrors: 50 }).errors?.map(
      ({ message }) => message,
    ),
  );
  expect(read.errors).toHaveLength(2);
});

test('of a long list of what does not fit only the first is looked at: errors are dear to make', () => {
  let asked = 0;
  const { parseValue } = odd;
  odd.parseValue = (value) => {
    asked += 1;
    return parseValue(value);
  };
  const list = buildListDefinitions();
  const { errors } = variableReader(schema).values(
    list,
    { odds: Array.from({ length: 1_000 }, () => 'throw') },
    { maxErrors: 1 },
  );
  odd.parseValue = parseValue;
  expect(errors?.length).toBeGreaterThan(0);
  // By the closure once, and by graphql-js until it has its one error.
  expect(asked).toBeLessThan(5);
});

function buildListDefinitions() {
  const [operation] = parse('query ($odds: [Odd!]) { f }').definitions;
  return (operation as OperationDefinitionNode).variableDefinitions ?? [];
}
