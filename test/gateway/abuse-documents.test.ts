import { getIntrospectionQuery } from 'graphql';
import { describe, expect, test } from 'vitest';

import { startGateway, type TestGateway } from './support/start-gateway.js';

const repeat = (n: number, part: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => part(i)).join(' ');
const nested = (levels: number, field: string): string =>
  `${`${field} { `.repeat(levels)} id ${'}'.repeat(levels)}`;

/** Each doubles what it spreads, so that the last is worth 2^n fields. */
const doubling = (n: number): string =>
  `${repeat(n, (i) => `fragment F${i} on Instance { ...F${i + 1} ... on Instance { ...F${i + 1} } }`)}
   fragment F${n} on Instance { id }`;

/** Documents that cost far more than their length, by what refuses them. */
const abuses: [string, string][] = [
  ['characters', `{ instances { id } } #${'x'.repeat(60_000)}`],
  ['tokens', `{ instances(ids: [${repeat(10_000, (i) => `${i}`)}]) { id } }`],
  ['depth', `{ ${nested(100, 'instances')} }`],
  ['depth', `{ ${nested(600, 'a')} }`],
  [
    'depth',
    `{ ...A } ${repeat(25, (i) => `fragment F${i} on Query { instances { ...F${i + 1} } }`)} fragment A on Query { ...F0 }`,
  ],
  ['introspectionDepth', `{ __schema { types { ${nested(30, 'ofType')} } } }`],
  ['introspections', `{ ${repeat(5, (i) => `t${i}: __type(name: "Query") { fields { name } }`)} }`],
  ['introspectionLists', `{ __schema { ${repeat(13, (i) => `t${i}: types { name }`)} } }`],
  [
    'introspectionLists',
    `{ __schema { ${repeat(2, (i) => `t${i}: types { ...T }`)} } } fragment T on __Type { ${repeat(6, (i) => `f${i}: fields { name }`)} }`,
  ],
  ['introspectionListDepth', '{ __schema { types { fields { type { fields { name } } } } } }'],
  ['rootFields', `{ ${repeat(30, (i) => `a${i}: instances { id }`)} }`],
  ['fields', `{ instances { ${repeat(1_500, (i) => `f${i}`)} } }`],
  ['fields', `{ instances { ...F0 } } ${doubling(25)}`],
  ['aliases', `{ instances { ${repeat(80, (i) => `a${i}: name`)} } }`],
  ['directives', `{ instances { id ${'@include(if: true) '.repeat(80)} } }`],
  ['fragments', `{ instances { id } } ${repeat(200, (i) => `fragment F${i} on Instance { id }`)}`],
  ['variables', `query (${repeat(200, (i) => `$v${i}: Int`)}) { instances { id } }`],
  ['repeats', `{ instances { ${repeat(500, () => 'name')} } }`],
  ['repeats', `{ ${nested(1, 'instances')} ${repeat(8, () => repeat(8, () => nested(3, 'instances')))} }`],
];

describe('documents that cost too much', () => {
  test.each(abuses)('are refused for their %s with no call of a subgraph (%#)', async (limit, query) => {
    const { execute, world } = await startGateway('in process');
    expect(await execute(query)).toEqual({
      errors: [
        {
          message: expect.stringMatching(/^The document has more than \d+ /),
          extensions: { code: 'BAD_REQUEST', reason: 'DOCUMENT_TOO_COMPLEX', details: { limit } },
        },
      ],
    });
    expect(world.contexts).toEqual([]);
  });

  test('fragments that spread themselves are refused', async () => {
    const { execute, world } = await startGateway('in process');
    const query = '{ instances { ...A } } fragment A on Instance { id ...B } fragment B on Instance { ...A }';
    expect(await execute(query)).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    expect(world.contexts).toEqual([]);
  });

  test('values nested too deeply to be parsed are refused', async () => {
    const { execute } = await startGateway('in process', { limits: { tokens: 50_000 } });
    const query = `{ instances(x: ${'['.repeat(20_000)}${']'.repeat(20_000)}) { id } }`;
    expect(await execute(query)).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });
});

test('the introspection that tools send is answered', async () => {
  const running: TestGateway = await startGateway('in process');
  const query = getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true, oneOf: true });
  expect(await running.execute(query)).toMatchObject({
    data: { __schema: { queryType: { name: 'Query' } } },
  });
  expect(running.world.contexts).toEqual([]);
});
