import { expect, test } from 'vitest';

import { composeSupergraph } from '#gateway/compose.js';
import { Documents } from '#gateway/documents.js';
import { defaultLimits } from '#gateway/limits.js';
import { loadSupergraph } from '#gateway/supergraph.js';
import { silentLogger } from '#platform/logger.js';
import { SubgraphRunner } from '#platform/subgraph/subgraph-runner.js';

import { World } from './support/world.js';

const world = new World();
const graph = loadSupergraph(composeSupergraph(world.subgraphs).supergraphSdl);
const memory = { establishedBytes: 400_000, recentBytes: 200_000 };
const stranger = { isSignedIn: false };
const member = { isSignedIn: true };

const documents = (): Documents => new Documents(graph, defaultLimits, silentLogger, memory);
/** Of 6 kB each. */
const text = (n: number): string =>
  `query Q${n} { instances { ${Array.from({ length: 10 }, (_, k) => `a${k}_${n}_${'x'.repeat(500)}: name`).join(' ')} } }`;

function prepare(known: Documents, n: number, caller: { isSignedIn: boolean }): unknown {
  const { operation, errors } = known.prepare({ query: text(n), caller }, undefined);
  expect(errors).toBeUndefined();
  return operation;
}

test('what is kept of documents is bounded by its bytes, whoever sends them', () => {
  const known = documents();
  for (let n = 0; n < 150; n += 1) prepare(known, n, n % 2 ? stranger : member);
  expect(known.bytes.established).toBeGreaterThan(memory.establishedBytes / 2);
  expect(known.bytes.established).toBeLessThanOrEqual(memory.establishedBytes);
  expect(known.bytes.recent).toBeGreaterThan(memory.recentBytes / 2);
  expect(known.bytes.recent).toBeLessThanOrEqual(memory.recentBytes);
});

test('strangers do not drive out what members use', () => {
  const known = documents();
  const kept = prepare(known, 0, member);
  for (let n = 1; n < 150; n += 1) for (let again = 0; again < 2; again += 1) prepare(known, n, stranger);
  expect(prepare(known, 0, member)).toBe(kept);
  // What a stranger sent first is a member's from then on.
  const adopted = prepare(known, 149, member);
  for (let n = 1; n < 100; n += 1) prepare(known, n, stranger);
  expect(prepare(known, 149, member)).toBe(adopted);
});

test('each operation of a document that is planned counts', () => {
  const known = documents();
  const query = 'query A { instances { name } } query B { instances { id name } }';
  known.prepare({ query, caller: member }, 'A');
  const one = known.bytes.established;
  known.prepare({ query, caller: member }, 'B');
  expect(known.bytes.established).toBeGreaterThan(one + 1_000);
});

test('a document that is larger than all that may be kept is answered, and not kept', () => {
  const known = new Documents(graph, defaultLimits, silentLogger, {
    establishedBytes: 2_000,
    recentBytes: 2_000,
  });
  prepare(known, 1, member);
  expect(known.bytes).toEqual({ established: 0, recent: 0 });
});

test('of whoever is not signed in nothing longer is looked at than signing in needs', () => {
  const known = documents();
  const long = `{ instances { id } } #${'x'.repeat(9_000)}`;
  const { errors } = known.prepare({ query: long, caller: stranger }, undefined);
  expect(errors?.map(({ message, extensions }) => [message, extensions['code']])).toEqual([
    ['Authentication is required: the document has more than 8000 characters', 'UNAUTHENTICATED'],
  ]);
  expect(known.prepare({ query: long, caller: member }, undefined).errors).toBeUndefined();
});

test('what a subgraph keeps of documents is bounded by its bytes', async () => {
  const [subgraph] = world.subgraphs;
  const runner = new SubgraphRunner(subgraph!, silentLogger);
  const context = { requestId: 'test', clientAddress: '' };
  const sizes: number[] = [];
  for (let n = 0; n < 120; n += 1) {
    await runner.execute({ query: `{ __typename } #${n}${'x'.repeat(400_000)}` }, { ...context });
    sizes.push(runner.bytes);
  }
  const most = 16 * 1024 * 1024;
  expect(sizes.at(-1)).toBeGreaterThan(most / 2);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
});
