import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { readSources } from '../support/source-graph.js';

/** Words under `reason` that no client is told, and where they stand instead. */
const internal: Readonly<Record<string, string>> = {
  SECOND_FACTOR_RESET: 'the event of a session that ended',
};

/** How a reason is written: in an error, or as the first argument of a helper that makes one. */
const written = [
  /\breason: '([A-Z][A-Z_]+)'/g,
  /\b[rR]eason = '([A-Z][A-Z_]+)'/g,
  /\b(?:refused|conflict)\(\s*'([A-Z][A-Z_]+)'/g,
];

const read = (path: string) => readFileSync(assetPath(path), 'utf8');

test('each reason of an error is in the description of an operation, or in the guide for clients', () => {
  const sources = readSources(['platform', 'gateway', 'rest-compat', 'panel', 'subgraphs']);
  const wordsIn = (text: string) =>
    written.flatMap((way) => [...text.matchAll(way)].map(([, word]) => word!));
  const reasons = new Set(sources.flatMap(({ text }) => wordsIn(text)));
  expect(reasons.size).toBeGreaterThan(100);
  const told = new Set(`${read('schema/api.graphql')}${read('docs/clients.md')}`.match(/\b[A-Z][A-Z_]+\b/g));
  expect([...reasons].filter((word) => !told.has(word) && !(word in internal)).toSorted()).toEqual([]);
});
