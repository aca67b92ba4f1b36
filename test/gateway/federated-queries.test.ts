import { parse } from 'graphql';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';

import { caller, modes, startGateway } from './support/start-gateway.js';

describe.each(modes)('federated queries, subgraphs %s', (mode) => {
  test('one query is answered by two subgraphs', async () => {
    const { execute } = await startGateway(mode);
    expect(await execute('{ instances { id name score } policies { appliesTo { name score } } }')).toEqual({
      data: {
        instances: [
          { id: 'i1', name: 'alpha', score: 90 },
          { id: 'i2', name: 'beta', score: 70 },
        ],
        policies: [{ appliesTo: { name: 'alpha', score: 90 } }],
      },
    });
  });

  test('entities are asked for once, in one batch, whatever the number of places they are in', async () => {
    const { execute, world } = await startGateway(mode);
    expect(await execute('{ alerts { id instance { name score violations { rule at } } } }')).toEqual({
      data: {
        alerts: ['i1', 'i2', 'i1', 'i1', 'i2'].map((id, n) => ({
          id: `a${n}`,
          instance: {
            name: id === 'i1' ? 'alpha' : 'beta',
            score: world.scores[id],
            violations: [{ rule: `rule of ${id}`, at: [1, 2] }],
          },
        })),
      },
    });
    expect(world.references).toEqual(['i1', 'i2']);
    expect(world.batches).toEqual([['i1', 'i2']]);
    expect(world.contexts).toEqual(['fleet', 'governance']);
  });

  test('no alias is answered with another field: where a name is taken by a key, that is said', async () => {
    const { execute } = await startGateway(mode);
    // Of one subgraph it is free.
    expect(await execute('{ instances { id: name } }')).toEqual({
      data: { instances: [{ id: 'alpha' }, { id: 'beta' }] },
    });
    const words = (field: string, alias: string) =>
      `"${field}" can't be given the name "${alias}" here, under which another field is read; choose another alias`;
    for (const [document, message] of [
      ['{ instances { id: name score } }', words('name', 'id')],
      [
        '{ alerts { instance { ...named score } } } fragment named on Instance { id: name }',
        words('name', 'id'),
      ],
      ['subscription { instanceChanged { id: name score } }', words('name', 'id')],
      ['{ instances { __typename: name } }', words('name', '__typename')],
    ] as const) {
      expect(await execute(document)).toMatchObject({
        errors: [{ message, locations: [{ line: 1 }], extensions: { code: 'BAD_REQUEST' } }],
      });
    }
    expect(await execute('{ instances { id key: id title: name score } }')).toMatchObject({
      data: { instances: [{ id: 'i1', key: 'i1', title: 'alpha', score: 90 }, { id: 'i2' }] },
    });
  });

  test('an entity that fails is an error at every place it is in', async () => {
    const { execute, world } = await startGateway(mode);
    delete world.scores.i2;
    const error = { message: 'No score for i2', extensions: { code: 'NOT_FOUND' } };
    expect(await execute('{ alerts { instance { score } } }')).toEqual({
      data: null,
      errors: [
        { ...error, path: ['alerts', 1, 'instance', 'score'] },
        { ...error, path: ['alerts', 4, 'instance', 'score'] },
      ],
    });
  });

  test('mutations run and answer with fields of other subgraphs', async () => {
    const { execute } = await startGateway(mode);
    const mutation = 'mutation ($id: ID!) { renameInstance(id: $id, name: "gamma") { name score } }';
    expect(await execute(mutation, { id: 'i1' })).toEqual({
      data: { renameInstance: { name: 'gamma', score: 90 } },
    });
  });

  test('an unexpected failure shows nothing of its words', async () => {
    const { execute } = await startGateway(mode);
    expect(await execute('{ secret instances { id } }')).toEqual({
      data: { secret: null, instances: [{ id: 'i1' }, { id: 'i2' }] },
      errors: [{ message: 'Internal error', path: ['secret'], extensions: { code: 'INTERNAL' } }],
    });
  });

  test('an expected refusal keeps its code, reason and details', async () => {
    const { execute } = await startGateway(mode);
    expect(await execute('{ taken }')).toEqual({
      data: { taken: null },
      errors: [
        {
          message: 'The name is taken',
          path: ['taken'],
          extensions: { code: 'CONFLICT', reason: 'NAME_TAKEN', details: { name: 'beta' } },
        },
      ],
    });
  });

  test('a null in a non-nullable place is an error', async () => {
    const { execute } = await startGateway(mode);
    expect(await execute('{ promised { always } }')).toEqual({
      data: { promised: null },
      errors: [{ message: 'Internal error', path: ['promised', 'always'], extensions: { code: 'INTERNAL' } }],
    });
  });

  test('the subgraph learns who is calling', async () => {
    const { gateway } = await startGateway(mode);
    const context = {
      requestId: 'req-1',
      authorization: 'Bearer token',
      clientAddress: '192.0.2.1',
      userAgent: 'tester/1',
      idempotencyKey: 'once',
    };
    const query = '{ whoAmI { requestId authorization clientAddress userAgent idempotencyKey } }';
    expect(await gateway.execute({ query, context })).toMatchObject({ data: { whoAmI: context } });
  });

  test('what is wrong with the request is said before any subgraph is called', async () => {
    const { execute, world } = await startGateway(mode);
    const answers = [
      await execute('{ instances { '),
      await execute('{ nothing }'),
      await execute('mutation ($id: ID!) { renameInstance(id: $id, name: "x") { id } }', {}),
      await execute('query A { __typename } query B { __typename }'),
      await execute('subscription { instanceChanged { id } }'),
    ];
    for (const answer of answers) {
      expect(answer).toEqual({
        errors: [
          expect.objectContaining({ message: expect.any(String), extensions: { code: 'BAD_REQUEST' } }),
        ],
      });
    }
    expect(world.contexts).toEqual([]);
  });

  test('a trusted document is known by its identity', async () => {
    const { gateway } = await startGateway(mode, { limits: { depth: 1 } });
    const document = parse('query Names { instances { name } }');
    const ask = () => gateway.execute({ document, operationName: 'Names', context: { ...caller } });
    expect(await ask()).toMatchObject({ data: { instances: [{ name: 'alpha' }, { name: 'beta' }] } });
    expect(await ask()).toMatchObject({ data: { instances: [{ name: 'alpha' }, { name: 'beta' }] } });
  });
});

test('what was hidden is in the log, with the request id', async () => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => lines.push(line) });
  const { gateway } = await startGateway('in process', { logger });
  await gateway.execute({ query: '{ secret }', context: { ...caller, requestId: 'req-9' } });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      requestId: 'req-9',
      subgraph: 'fleet',
      path: ['secret'],
      err: expect.objectContaining({ message: 'password=hunter2' }),
    }),
  ]);
});

test('a query over a kept connection that has just been closed is repeated', async () => {
  const { execute, servers } = await startGateway('over HTTP');
  const answer = { data: { instances: [{ id: 'i1' }, { id: 'i2' }] } };
  expect(await execute('{ instances { id } }')).toEqual(answer);
  for (const server of servers) server.cut();
  expect(await execute('{ instances { id } }')).toEqual(answer);
});

test('a subgraph that does not answer is UNAVAILABLE, and the others still answer', async () => {
  const { execute, servers, gateway } = await startGateway('over HTTP');
  expect(await gateway.ready()).toEqual([]);
  await servers.find(({ name }) => name === 'governance')!.stop();
  expect(await execute('{ instances { name } policies { id } }')).toEqual({
    data: null,
    errors: [
      {
        message: 'A part of the service is not available for the moment',
        extensions: { code: 'UNAVAILABLE', retryAfterSeconds: 2 },
      },
    ],
  });
  // Whoever is told of this need not know where it is.
  expect(await gateway.ready()).toEqual(['Subgraph governance does not answer: ECONNREFUSED']);
});
