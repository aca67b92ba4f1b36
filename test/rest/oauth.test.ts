import { expect, test } from 'vitest';

import { ApiError, type ApiErrorOptions, type ErrorCode } from '#platform/errors.js';

import { startMachine, type RestMachine } from './support/rest-machine.js';

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const exchangeCode = { accessToken: 'token', expiresIn: 300 };

async function exchange(
  machine: RestMachine,
  body: string,
  headers: Record<string, string> = form,
): Promise<Response> {
  return fetch(`${machine.url}/api/token`, { method: 'POST', headers, body });
}

test('a form and JSON say the same', async () => {
  await using machine = await startMachine({ resolvers: { exchangeCode } });
  const sent = [
    await exchange(machine, 'grant_type=authorization_code&code=a%2Bb+c&retries=2'),
    await exchange(machine, '{"grant_type":"authorization_code","code":"a+b c","retries":2}', {
      'content-type': 'application/json',
    }),
  ];
  for (const answer of sent) {
    expect([answer.status, await answer.json()]).toEqual([200, { access_token: 'token', expires_in: 300 }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  }
  const input = { grantType: 'authorization_code', code: 'a+b c', retries: 2 };
  expect(machine.operations.map(({ variables }) => variables)).toEqual([{ input }, { input }]);
});

test('unknown fields of a form are ignored and empty ones count as omitted', async () => {
  await using machine = await startMachine({ resolvers: { exchangeCode } });
  const answer = await exchange(machine, 'grant_type=x&code=c&retries=&scope=openid&scope=email');
  expect(answer.status).toBe(200);
  expect(machine.operations[0]?.variables).toEqual({ input: { grantType: 'x', code: 'c' } });
});

test('what is wrong with a request is invalid_request, described in plain ASCII', async () => {
  await using machine = await startMachine();
  const json = { 'content-type': 'application/json' };
  const cases: [string, Record<string, string>, number, string][] = [
    ['grant_type=x', form, 400, 'Code is required'],
    ['grant_type=x&code=a&code=b', form, 400, 'code must be given once'],
    ['grant_type=x&code=a&retries=b', form, 400, 'retries must be an integer'],
    ['{"grant_type":"x","code":"c","é":1}', json, 400, "'?' is not a known field"],
    ['{', json, 400, 'The body is not JSON'],
    ['x', {}, 415, 'Content-Type must be application/json or application/x-www-form-urlencoded'],
  ];
  for (const [body, headers, status, error_description] of cases) {
    const answer = await exchange(machine, body, headers);
    expect([answer.status, await answer.json()]).toEqual([
      status,
      { error: 'invalid_request', error_description },
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  }
  expect(machine.operations).toEqual([]);
});

test.each<[ErrorCode, ApiErrorOptions, number, string]>([
  ['UNAUTHENTICATED', {}, 401, 'invalid_client'],
  ['BAD_REQUEST', { reason: 'INVALID_GRANT' }, 400, 'invalid_grant'],
  ['CONFLICT', { reason: 'INVALID_GRANT' }, 400, 'invalid_grant'],
  ['BAD_REQUEST', { reason: 'UNSUPPORTED_GRANT_TYPE' }, 400, 'unsupported_grant_type'],
  ['BAD_REQUEST', { reason: 'SOMETHING_OF_OURS' }, 400, 'invalid_request'],
  ['VALIDATION_FAILED', {}, 400, 'invalid_request'],
  ['FORBIDDEN', {}, 400, 'unauthorized_client'],
  ['RATE_LIMITED', {}, 429, 'temporarily_unavailable'],
  ['UNAVAILABLE', {}, 503, 'temporarily_unavailable'],
])('%s with %o is a %i %s', async (code, options, status, error) => {
  const fail = (): never => {
    throw new ApiError(code, 'A sentence', options);
  };
  await using machine = await startMachine({ resolvers: { exchangeCode: fail } });
  const answer = await exchange(machine, 'grant_type=x&code=c');
  expect([answer.status, await answer.json()]).toEqual([status, { error, error_description: 'A sentence' }]);
});

test('a fault of ours is server_error and shows nothing', async () => {
  await using machine = await startMachine({
    resolvers: { exchangeCode: () => Promise.reject(new Error('secret')) },
  });
  const answer = await exchange(machine, 'grant_type=x&code=c');
  expect([answer.status, await answer.json()]).toEqual([
    500,
    { error: 'server_error', error_description: 'Internal server error' },
  ]);
});
