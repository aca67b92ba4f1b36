import { createClient } from 'graphql-sse';
import { expect, onTestFinished, test } from 'vitest';

import { findDataFault, longestName, longestString, mostNames, mostValues } from '#platform/client-data.js';
import { tooManyParts } from '#platform/json-shape.js';
import { withoutSecrets } from '#platform/subgraph/audit.js';

import { hostileRequests } from '../../bench/support/hostile-requests.js';
import { startGateway, type TestGateway } from './support/start-gateway.js';

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}

const document = 'query($x: Boolean!) { instances { id @include(if: $x) } }';
const tooDeep = {
  message: expect.stringMatching(/^x\.a\.a.*\.\.\. is nested deeper than 64 levels$/),
  extensions: { code: 'BAD_REQUEST' },
};

const transports: Record<string, (running: TestGateway, variables: object) => Promise<unknown>> = {
  HTTP: async ({ url }, variables) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ query: document, variables });
    return ((await (await fetch(url, { method: 'POST', headers, body })).json()) as { errors: unknown[] })
      .errors;
  },
  'a WebSocket': async ({ client }, variables) => {
    const events = client().iterate({ query: document, variables: { ...variables } });
    return events.next().then(
      ({ value }) => value?.errors,
      (errors: unknown) => errors,
    );
  },
  'Server-Sent Events': async ({ url }, variables) => {
    const client = createClient({ url });
    onTestFinished(() => client.dispose());
    const { value } = await client.iterate({ query: document, variables: { ...variables } }).next();
    return value?.errors;
  },
};

test.each(Object.entries(transports))('over %s variables have 64 levels at most', async (_, errorsOf) => {
  const running = await startGateway('in process');
  for (const levels of [65, 3_000]) {
    expect(await errorsOf(running, { x: nested(levels) })).toEqual([tooDeep]);
  }
  // One level less is looked at, and found to be no truth value.
  expect(await errorsOf(running, { x: nested(64) })).toEqual([
    expect.objectContaining({ message: expect.stringContaining('Boolean cannot represent') }),
  ]);
  expect(running.world.contexts).toEqual([]);
});

test('values in a document have 64 levels at most, and the error says where', async () => {
  const { execute, world } = await startGateway('in process');
  const query = `{ instances(ids: ${'['.repeat(65)}${']'.repeat(65)}) { id } }`;
  expect(await execute(query)).toEqual({
    errors: [
      {
        message: 'The document has more than 64 levels of values',
        locations: [{ line: 1, column: 82 }],
        extensions: { code: 'BAD_REQUEST', reason: 'DOCUMENT_TOO_COMPLEX', details: { limit: 'valueDepth' } },
      },
    ],
  });
  expect(world.contexts).toEqual([]);
});

test('JSON with more parts than any input has is not parsed', async () => {
  const { url, world } = await startGateway('in process');
  const headers = { 'content-type': 'application/json' };
  for (const [x, rule] of [
    [Array.from({ length: mostValues }, () => 1), `more than ${mostValues} values`],
    [Object.fromEntries(Array.from({ length: mostNames }, (_, n) => [n, 1])), `more than ${mostNames} names`],
  ] as const) {
    const body = JSON.stringify({ query: document, variables: { x } });
    const answer = await fetch(url, { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { errors: [{ message: `The request body has ${rule}`, extensions: { code: 'BAD_REQUEST' } }] },
    ]);
  }
  expect(world.contexts).toEqual([]);
  const long = JSON.stringify({ query: document, variables: { x: 'é'.repeat(longestString) } });
  const answer = await fetch(url, { method: 'POST', headers, body: long });
  expect([answer.status, await answer.text()]).toEqual([
    400,
    expect.stringContaining(`a string of more than ${longestString} bytes`),
  ]);
  expect(tooManyParts(Buffer.from(long), 'x', { isReport: true })).toBeUndefined();
  const full = (name: string, bytes: number) => Buffer.from(JSON.stringify({ [name]: 'x'.repeat(bytes) }));
  expect(tooManyParts(full('name', longestString), 'x')).toBeUndefined();
  expect(tooManyParts(full('name', longestString + 1), 'x')).toBe(
    `x has a string of more than ${longestString} bytes`,
  );
  expect(tooManyParts(full('n'.repeat(longestName), 0), 'x')).toBeUndefined();
  expect(tooManyParts(full('n'.repeat(longestName + 1), 0), 'x')).toBe(
    `x has a name of more than ${longestName} bytes`,
  );
  // What stands in a string is no part.
  expect(tooManyParts(Buffer.from(JSON.stringify({ a: ',:[{\\"'.repeat(20_000) })), 'x')).toBeUndefined();
});

test('a fault is found wherever it is, and its path is told without the values before it', () => {
  expect(findDataFault({ a: [1, { b: 'x' }, { c: ['y', 'a\0'] }] })).toEqual({
    kind: 'text',
    path: ['a', 2, 'c', 1],
  });
  expect(findDataFault({ a: { b: { '\ud800': 1 } } })).toEqual({ kind: 'name', path: ['a', 'b'] });
  expect(findDataFault('\ud800')).toEqual({ kind: 'text', path: [] });
  expect(findDataFault({ a: [null, 1, true, 'fine \u{1F600}'], b: new Date() })).toBeUndefined();
});

/** The least CPU time of several tries: what else the machine does only adds to it. */
function cpuOf(work: () => unknown): number {
  let least = Infinity;
  for (let tries = 0; tries < 7; tries += 1) {
    const before = process.cpuUsage();
    for (let n = 0; n < 5; n += 1) work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

/** Those that are not refused for their size alone. */
const walked = hostileRequests.filter(({ name }) => name.endsWith('in facts') && name.startsWith('GraphQL'));

test.each(walked.map((hostile) => [hostile.name, hostile] as const))(
  'walks over %s cost twice as much for twice as much',
  (_, { make }) => {
    const sizes = [60_000, 120_000].map((size) => {
      const text = make(size, 's');
      const bytes = Buffer.from(text);
      const parsed: unknown = JSON.parse(text);
      return () => [tooManyParts(bytes, 'x'), findDataFault(parsed), withoutSecrets(parsed)];
    });
    const [half, whole] = sizes.map(cpuOf) as [number, number];
    // Of what takes next to nothing the clock's own grain would be measured.
    expect(whole / Math.max(half, 2_000)).toBeLessThan(3);
  },
);

test('a socket whose message has parts without end is closed for good', async () => {
  const { client } = await startGateway('in process');
  const socket = client({ retryAttempts: 1_000 });
  const variables = { x: Array.from({ length: 20_000 }, () => 1) };
  await expect(socket.iterate({ query: document, variables }).next()).rejects.toMatchObject({
    code: 4400,
    reason: `The message has more than ${mostValues} values`,
  });
});

test('all that is wrong with variables is told at once, and of much the first, never longer than it was sent', async () => {
  const { execute } = await startGateway('in process');
  const known =
    'query($y: Boolean!, $z: Boolean!) { instances { id @include(if: $y) name @include(if: $z) } }';
  const faults = (await execute(known, { y: 1, z: 'no' })) as { errors: { message: string }[] };
  expect(faults.errors.map(({ message }) => message)).toEqual([
    'Variable "$y" got invalid value 1; Boolean cannot represent a non boolean value: 1',
    'Variable "$z" got invalid value "no"; Boolean cannot represent a non boolean value: "no"',
  ]);
  const long = (await execute(known, { y: 'x'.repeat(100_000), z: 1 })) as { errors: { message: string }[] };
  expect(long.errors).toHaveLength(1);
  expect(long.errors[0]!.message.length).toBeLessThan(600);
  expect(long.errors[0]!.message).toContain('Variable "$y" got invalid value "xxx');
});
