import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { readSources } from '../support/source-graph.js';

const read = (path: string) => readFileSync(assetPath(path), 'utf8');
const topics = [...read('schema/events.ts').matchAll(/^ {2}'([a-z.-]+)':/gm)].map(([, topic]) => topic!);

test("each event of an area is in the area's page", () => {
  expect(topics.length).toBeGreaterThan(40);
  const missing = readdirSync(assetPath('subgraphs')).flatMap((area) => {
    const page = read(`subgraphs/${area}/README.md`);
    return topics.filter((topic) => topic.startsWith(`${area}.`) && !page.includes(`\`${topic}\``));
  });
  expect(missing).toEqual([]);
});

test('each event is heard by somebody', () => {
  const sources = readSources(['platform', 'subgraphs', 'gateway', 'panel']);
  const isHeard = (topic: string) =>
    sources.some(({ text }) => text.replaceAll(`topic: '${topic}'`, '').includes(`'${topic}'`));
  expect(topics.filter((topic) => !isHeard(topic))).toEqual([]);
});
