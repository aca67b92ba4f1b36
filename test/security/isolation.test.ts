import { readFileSync } from 'node:fs';

import { buildSchema } from 'graphql';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import type { Subgraphs } from '#panel/subgraphs.js';
import { assetPath } from '#platform/package-root.js';
import { routes } from '#rest-compat/routes.js';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { entityFindings, entityKeys, unlistedFindings } from './check-entities.js';
import { controlFindings, isolationFindings, type Parties } from './check-isolation.js';
import { replayFindings } from './check-replay.js';
import { restFindings } from './check-rest.js';
import { rowLevelSecurityFindings } from './check-row-level-security.js';
import { subscriptionFindings } from './check-subscriptions.js';
import { summary } from './findings.js';
import { matrix } from './matrix.js';
import { rootFields } from './operations.js';
import { RichScene } from './rich-scene.js';
import { subgraphsOf } from './subgraphs.js';
import { panelTarget, subgraphTarget, type Target } from './target.js';

const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
const print = (line: string) => process.stdout.write(line);
let panel: TestPanel;
let parties: Parties;
let target: Target;
let subgraphs: Subgraphs;
// They go over all operations of all areas.
vi.setConfig({ testTimeout: 300_000 });

beforeAll(async () => {
  panel = await startTestPanel();
  parties = { victim: await RichScene.rich(panel), stranger: await RichScene.rich(panel) };
  target = panelTarget(panel.panel.url, schema);
  subgraphs = await subgraphsOf(panel);
});
afterAll(async () => {
  await subgraphs?.stop();
  await panel?.stop();
});

test('there is something of a tenant to leak in every table', async () => {
  expect(await parties.victim.emptyTables()).toEqual([]);
});

test('the calls that strangers make show a tenant all of its own', async () => {
  expect(await controlFindings(target, matrix, parties.victim)).toEqual([]);
});

test('no query or mutation shows or changes anything of another tenant', async () => {
  const found = await isolationFindings(target, matrix, parties, subgraphs.all);
  print(
    summary('isolation', { operations: rootFields(schema).length, ids: parties.victim.ids.length }, found),
  );
  expect(found).toEqual([]);
});

test('no subgraph resolves an entity of another tenant', async () => {
  const keys = entityKeys(subgraphs.all);
  const found = await entityFindings(keys, subgraphTarget, parties);
  print(summary('entities', { keys: keys.length }, found));
  expect(found).toEqual([]);
});

test('no entity tells anything but its key to a token that lists no permission for it', async () => {
  expect(await unlistedFindings(entityKeys(subgraphs.all), subgraphTarget, parties)).toEqual([]);
});

test('no subscription tells of another tenant', async () => {
  expect(await subscriptionFindings(target, matrix, parties)).toEqual([]);
});

test('no REST route shows or changes anything of another tenant', async () => {
  const found = await restFindings(panel.panel.url, schema, routes, parties);
  print(summary('REST isolation', { routes: routes.length }, found));
  expect(found).toEqual([]);
});

test('row-level security alone keeps tenants apart: with every other check off, nothing shows or changes', async () => {
  const { attempts, findings } = await rowLevelSecurityFindings(subgraphs.all, matrix, parties);
  print(summary('row-level security', { calls: attempts }, findings));
  expect(findings).toEqual([]);
});

test('row-level security alone keeps the replay of a subscription to its tenant', async () => {
  expect(await replayFindings(target, subgraphs.all, matrix, parties)).toEqual([]);
});
