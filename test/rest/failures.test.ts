import { GraphQLError } from 'graphql';
import { describe, expect, test } from 'vitest';

import { ApiError, type ApiErrorOptions, type ErrorCode } from '#platform/errors.js';

import { startMachine, type MachineOptions } from './support/rest-machine.js';

const internal = { error: 'Internal server error' };

function failing(code: ErrorCode, options?: ApiErrorOptions): MachineOptions {
  const fail = (): never => {
    throw new ApiError(code, 'A sentence', options);
  };
  return { resolvers: { box: fail, packBox: fail, boxes: fail, changeBox: fail } };
}

describe('an error of a subgraph', () => {
  test.each<[ErrorCode, number, string]>([
    ['BAD_REQUEST', 400, 'A sentence'],
    ['UNAUTHENTICATED', 401, 'A sentence'],
    ['FORBIDDEN', 403, 'A sentence'],
    ['PLAN_REQUIRED', 403, 'A sentence'],
    ['NOT_FOUND', 404, 'A sentence'],
    ['CONFLICT', 409, 'A sentence'],
    ['LIMIT_REACHED', 409, 'A sentence'],
    ['VALIDATION_FAILED', 422, 'A sentence'],
    ['RATE_LIMITED', 429, 'A sentence'],
    ['INTERNAL', 500, internal.error],
    ['UNAVAILABLE', 503, 'A sentence'],
  ])('%s is a %i', async (code, status, error) => {
    await using machine = await startMachine(failing(code));
    const answer = await machine.send('/api/boxes/box_1');
    expect([answer.status, await answer.json()]).toEqual([status, { error }]);
  });

  test('says when to come back', async () => {
    await using limited = await startMachine(failing('RATE_LIMITED', { retryAfterSeconds: 1.2 }));
    expect((await limited.send('/api/boxes/box_1')).headers.get('retry-after')).toBe('2');
    await using away = await startMachine(failing('UNAVAILABLE'));
    expect((await away.send('/api/boxes/box_1')).headers.get('retry-after')).toBe('5');
  });

  test('carries the details of a limit as they are', async () => {
    const details = { limit: 3, used: 3 };
    await using machine = await startMachine(failing('LIMIT_REACHED', { details }));
    expect(await (await machine.post('/api/boxes', { name: 'box' })).json()).toEqual({
      error: 'A sentence',
      details,
    });
  });

  test('has its reason in a header, and its details in snake_case', async () => {
    const options = { reason: 'LIMITS_EXCEEDED', details: { storageGb: { used: 42.3, limit: 10 } } };
    await using machine = await startMachine(failing('CONFLICT', options));
    const answer = await machine.post('/api/boxes', { name: 'box' });
    expect([answer.status, answer.headers.get('x-error-reason'), await answer.json()]).toEqual([
      409,
      'LIMITS_EXCEEDED',
      { error: 'A sentence', details: { storage_gb: { used: 42.3, limit: 10 } } },
    ]);
    await using plain = await startMachine(failing('CONFLICT'));
    expect((await plain.send('/api/boxes/box_1')).headers.get('x-error-reason')).toBeNull();
  });

  test('names fields of a body as they were sent', async () => {
    const details = {
      'input.maxUses': 'too many',
      'input.parts.0.netRxBytes': 'too high',
      'input.facts.someKey': 'the client wrote it so',
      input: 'as a whole',
      openAt: 'without its argument',
    };
    await using machine = await startMachine(failing('VALIDATION_FAILED', { details }));
    const answer = await machine.post('/api/boxes', { name: 'box' });
    expect([answer.status, await answer.json()]).toEqual([
      422,
      {
        error: 'Validation failed',
        details: {
          max_uses: 'too many',
          'parts.0.net_rx_bytes': 'too high',
          'facts.someKey': 'the client wrote it so',
          body: 'as a whole',
          open_at: 'without its argument',
        },
      },
    ]);
  });

  test('names path and query parameters as they were sent', async () => {
    const details = {
      'filter.minWeight': 'too low',
      'filter.tags.0': 'not a tag',
      first: 'too long',
      after: 'not a cursor',
    };
    await using machine = await startMachine(failing('VALIDATION_FAILED', { details }));
    expect(await (await machine.send('/api/boxes')).json()).toMatchObject({
      details: { min_weight: 'too low', 'tags.0': 'not a tag', limit: 'too long', cursor: 'not a cursor' },
    });
    await using changing = await startMachine(failing('VALIDATION_FAILED', { details: { id: 'not an id' } }));
    const answer = await changing.post('/api/boxes/box_1', {}, { method: 'PUT' });
    expect(await answer.json()).toMatchObject({ details: { id: 'not an id' } });
  });

  test('answers for the whole even when other fields have come', async () => {
    const maker = (): never => {
      throw new ApiError('UNAVAILABLE', 'Makers are away');
    };
    await using machine = await startMachine({
      resolvers: { box: { id: '1', name: 'box', colour: 'RED', maker } },
    });
    const answer = await machine.send('/api/boxes/box_1');
    expect([answer.status, await answer.json()]).toEqual([503, { error: 'Makers are away' }]);
  });
});

test.each<ErrorCode>(['FORBIDDEN', 'NOT_FOUND', 'INTERNAL'])(
  'what a mutation has done is not told as refused where its answer has a hole for %s',
  async (code) => {
    const name = (): never => {
      throw new ApiError(code, 'This needs the permission box.name.read');
    };
    await using machine = await startMachine({ resolvers: { packBox: { id: '1', name } } });
    const answer = await machine.post('/api/boxes', { name: 'box' });
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
      502,
      null,
      { error: expect.stringContaining('may have been done or not') },
    ]);
    expect(machine.log).toMatchObject([{ level: 50, requestId: 'req-1', operation: 'PackBox' }]);
  },
);

describe('what is nobody else’s business is a 500 with constant words, logged with the request id', () => {
  const secret = 'relation "boxes" does not exist';

  test.each<[string, MachineOptions]>([
    ['an error without a code', { resolvers: { box: () => Promise.reject(new Error(secret)) } }],
    ['a code that is not ours', { resolvers: { box: () => Promise.reject(graphQLError('BAD_USER_INPUT')) } }],
    ['the code INTERNAL', { resolvers: { box: () => Promise.reject(graphQLError('INTERNAL')) } }],
    ['a gateway that throws', { execute: async () => Promise.reject(new Error(secret)) }],
    // Without data the document was refused: GraphQL's words would mean nothing to a REST client.
    ['a refused document', { execute: async () => ({ errors: [graphQLError('BAD_REQUEST')] }) }],
    ['a refused document without a code', { execute: async () => ({ errors: [new GraphQLError(secret)] }) }],
    ['an answer without data', { execute: async () => ({}) }],
  ])('%s', async (_name, options) => {
    await using machine = await startMachine(options);
    const answer = await machine.send('/api/boxes/box_1');
    expect([answer.status, await answer.json()]).toEqual([500, internal]);
    expect(machine.log).toMatchObject([{ level: 50, requestId: 'req-1', operation: 'GetBox', err: {} }]);
  });

  test('a refusal that is the client’s own doing is not logged', async () => {
    await using machine = await startMachine(failing('CONFLICT'));
    await machine.send('/api/boxes/box_1');
    await machine.send('/api/nothing');
    expect(machine.log).toEqual([]);
  });

  function graphQLError(code: string): GraphQLError {
    return new GraphQLError(secret, { extensions: { code } });
  }
});

test('a gateway that refuses before execution with a code of ours is believed', async () => {
  const refusal = new ApiError('RATE_LIMITED', 'Slow down', { retryAfterSeconds: 9 });
  await using machine = await startMachine({ execute: async () => Promise.reject(refusal) });
  const answer = await machine.send('/api/boxes/box_1');
  expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
    429,
    '9',
    { error: 'Slow down' },
  ]);
});
