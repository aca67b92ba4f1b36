import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  buildSchema,
  execute,
  getIntrospectionQuery,
  type GraphQLObjectType,
  parse,
  type ExecutionArgs,
  type GraphQLSchema,
} from 'graphql';
import { expect, test } from 'vitest';

import { Engine } from '#platform/execution/engine.js';

type Args = Omit<ExecutionArgs, 'schema' | 'document'>;

async function both(schema: GraphQLSchema, text: string, args: Args = {}) {
  const document = parse(text);
  const ours = await new Engine(schema).execute({ document, ...args });
  const theirs = await execute({ schema, document, ...args });
  expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs));
  return ours;
}

const numbers = buildSchema(`
  type Query { number(at: Int): Int numbers: [Int!] row: Row rows: [Row] }
  type Row { name: String! child: Row }
`);

test('a schema is described as graphql-js describes it', async () => {
  const { data } = await both(numbers, getIntrospectionQuery());
  expect(data).toMatchObject({ __schema: { queryType: { name: 'Query' } } });
  await both(numbers, '{ __type(name: "Row") { fields { name type { kind ofType { name } } } } __typename }');
});

test('entities and the SDL of a subgraph are answered as by graphql-js', async () => {
  const typeDefs = parse(`
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    type Item @key(fields: "id") { id: ID! name: String! }
    type Shop @key(fields: "id") { id: ID! items: [Item!]! }
    type Query { shop: Shop }
  `);
  const known = (id: string) => (id === '0' ? null : { id, name: id === '1' ? 'one' : null });
  const schema = buildSubgraphSchema({
    typeDefs,
    resolvers: {
      Item: { __resolveReference: async ({ id }: { id: string }) => known(id) },
      Shop: { __resolveReference: ({ id }: { id: string }) => ({ id, items: [known('1'), known('2')] }) },
    } as never,
  });
  const representations = ['0', '1', '2', 'x'].flatMap((id) => [
    { __typename: 'Item', id },
    { __typename: 'Shop', id },
  ]);
  const entities =
    'query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename ... on Item { id name } ... on Shop { items { name } } } }';
  const answer = await both(schema, entities, { variableValues: { representations } });
  expect(answer.data?._entities).toContainEqual({ __typename: 'Item', id: '1', name: 'one' });
  expect(answer.errors?.length).toBeGreaterThan(1);
  await both(schema, entities, { variableValues: { representations: [{ __typename: 'Nothing' }] } });
  await both(schema, entities, { variableValues: {} });
  const { data } = await both(schema, '{ _service { sdl } }');
  expect(data).toMatchObject({ _service: { sdl: expect.stringContaining('type Item') as string } });
});

test.for([
  ['no such operation', 'query A { number } query B { number }', { operationName: 'C' }],
  ['more than one operation', 'query A { number } query B { number }', {}],
  ['one of several operations', 'query A { number } query B { rows { name } }', { operationName: 'B' }],
  ['an operation that the schema does not have', 'mutation { number }', {}],
  ['fragments alone', 'fragment F on Query { number }', {}],
  ['a key that objects have of themselves', '{ __proto__: number }', { rootValue: { number: 1 } }],
  ['a variable that does not fit', 'query ($at: Int!) { number(at: $at) }', { variableValues: { at: 'x' } }],
  ['a variable that is not given', 'query ($at: Int!) { number(at: $at) }', {}],
] as const)('%s is answered as by graphql-js', async ([, text, args]) => {
  expect(await both(numbers, text, args)).toBeDefined();
});

test('variables that are none are refused as by graphql-js', () => {
  const args = { document: parse('{ number }'), variableValues: 'text' as never };
  expect(() => new Engine(numbers).execute(args)).toThrow('Variables must be provided as an Object');
});

test('a field of a mutation that does not exist takes its turn, as it does in graphql-js', async () => {
  const schema = buildSchema('type Query { a: Int } type Mutation { a: Int b: Int }');
  const document = parse('mutation { a none b nothing }');
  const turns = async (run: () => unknown) => {
    let hasEnded = false;
    void Promise.resolve(run()).then(() => (hasEnded = true));
    for (let turn = 0; ; turn += 1) {
      if (hasEnded) return turn;
      await Promise.resolve();
    }
  };
  const rootValue = { a: async () => 1, b: 2 };
  const ours = await turns(() => new Engine(schema).execute({ document, rootValue }));
  expect(ours).toBe(await turns(() => execute({ schema, document, rootValue })));
  expect((await new Engine(schema).execute({ document, rootValue })).data).toEqual({ a: 1, b: 2 });
});

test('what a resolver does to its arguments is seen by no other call', async () => {
  const schema = buildSchema(
    'input In { a: [Int] b: Int = 1 } type Row { size(in: In, of: Int = 2): Int } type Query { rows: [Row] }',
  );
  const row = schema.getType('Row') as GraphQLObjectType;
  row.getFields()['size']!.resolve = (_row, args: { in?: { a: number[]; b: number }; of: number }) => {
    args.in?.a.push(args.in.b++);
    return args.in ? args.in.a.length + args.of++ : args.of++;
  };
  const text = '{ rows { size(in: { a: [1] }) none: size two: size(in: { a: [1, 2], b: 0 }, of: 4) } }';
  const answer = await both(schema, text, { rootValue: { rows: [{}, {}, {}] } });
  expect(answer.data?.['rows']).toEqual(Array.from({ length: 3 }, () => ({ size: 4, none: 2, two: 7 })));
});

test('an operation that is run again is not compiled again, but for other conditions', async () => {
  const schema = buildSchema('type Query { row: Row } type Row { a: Int b: Int }');
  let compiled = 0;
  const row = schema.getType('Row') as GraphQLObjectType;
  const fields = row.getFields.bind(row);
  row.getFields = () => {
    compiled += 1;
    return fields();
  };
  const engine = new Engine(schema);
  const document = parse('query ($yes: Boolean!) { row { a b @include(if: $yes) } }');
  const run = async (yes: boolean) =>
    engine.execute({ document, variableValues: { yes }, rootValue: { row: { a: 1, b: 2 } } });
  expect(await run(true)).toEqual({ data: { row: { a: 1, b: 2 } } });
  const once = compiled;
  expect(once).toBeGreaterThan(0);
  for (let time = 0; time < 5; time += 1) await run(true);
  expect(compiled).toBe(once);
  expect(await run(false)).toEqual({ data: { row: { a: 1 } } });
  expect(compiled).toBeGreaterThan(once);
});

test('compiled operations are kept within their bounds, however many there are', async () => {
  const engine = new Engine(numbers, { maxBytes: 100_000 });
  const rootValue = { row: { name: 'x' } };
  for (let at = 0; at < 100; at += 1) {
    const document = parse(
      `{ ${'abcdefgh'
        .split('')
        .map((key) => `${key}${at}: row { name }`)
        .join(' ')} }`,
    );
    expect((await engine.execute({ document, rootValue })).data).toHaveProperty(`h${at}.name`, 'x');
    expect(engine.keptBytes).toBeLessThanOrEqual(100_000);
  }
  expect(engine.keptBytes).toBeGreaterThan(20_000);
  const large = parse(`{ ${Array.from({ length: 90 }, (_, at) => `k${at}: number`).join(' ')} }`);
  expect((await engine.execute({ document: large, rootValue })).data).toHaveProperty('k89', null);
  expect(engine.keptBytes).toBeLessThanOrEqual(100_000);
});

test('a list that one item breaks leaves no other rejection without a handler', async () => {
  const unhandled: unknown[] = [];
  const listeners = process.listeners('unhandledRejection');
  process
    .removeAllListeners('unhandledRejection')
    .on('unhandledRejection', (reason) => unhandled.push(reason));
  try {
    const items = () => [Promise.reject(new Error('first')), null];
    const answer = await new Engine(numbers).execute({
      document: parse('{ numbers }'),
      rootValue: { numbers: items },
    });
    expect(answer.errors?.map(({ path }) => path)).toEqual([['numbers', 1]]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
});
