import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Subgraphs } from '#panel/subgraphs.js';
import type { Database } from '#platform/database/database.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { entityFindings, entityKeys } from './check-entities.js';
import { isolationFindings, type Parties } from './check-isolation.js';
import { roleFindings } from './check-roles.js';
import { rowLevelSecurityFindings } from './check-row-level-security.js';
import type { Finding } from './findings.js';
import { callers, matrixFindings } from './matrix.js';
import { RichScene } from './rich-scene.js';
import { carelessMatrix, carelessSubgraph } from './seeded.js';
import { databaseOf, subgraphsOf } from './subgraphs.js';
import { subgraphTarget } from './target.js';

let panel: TestPanel;
let parties: Parties;
let subgraphs: Subgraphs;
let database: Database;
let careless: Subgraph;
beforeAll(async () => {
  panel = await startTestPanel();
  parties = { victim: await RichScene.rich(panel), stranger: await RichScene.rich(panel) };
  subgraphs = await subgraphsOf(panel);
  database = await databaseOf(panel, 'fleet');
  careless = await carelessSubgraph(database, panel.clock, subgraphs.verifier);
});
afterAll(async () => {
  await database?.close();
  await subgraphs?.stop();
  await panel?.stop();
});

const places = (found: readonly Finding[]) => [...new Set(found.map(({ where }) => where))].toSorted();

test('an operation without a row, and a row without an operation, are found', () => {
  const { 'Query.openToAll': forgotten, ...rest } = carelessMatrix;
  const found = matrixFindings(careless.schema, { ...rest, 'Query.gone': forgotten! });
  expect(found.map(({ where, problem }) => `${where} ${problem.split(':')[0]}`)).toEqual([
    'Query.openToAll has no row in test/security/matrix.ts',
    'Query.gone is no operation',
  ]);
});

test('a resolver that asks nobody who they are is found, by everyone whom it was to refuse', async () => {
  const { stranger } = parties;
  const target = subgraphTarget(careless);
  const scenes = { shared: stranger, fresh: async () => stranger };
  const found = await roleFindings(target, carelessMatrix, scenes, [target]);
  const refused = callers.filter((caller) => caller !== 'owner' && caller !== 'service');
  expect(found.map(({ where, caller }) => `${where} ${caller}`)).toEqual(
    refused.map((caller) => `Query.openToAll ${caller}`),
  );
});

test('a resolver that reads or changes things of another tenant is found', async () => {
  const found = await isolationFindings(subgraphTarget(careless), carelessMatrix, parties, [careless]);
  expect(places(found)).toEqual(['Query.nameAsJob', 'Query.nameAsOwner', "the victim's rows"]);
  const changes = found.filter(({ where }) => where === "the victim's rows").map(({ problem }) => problem);
  expect(changes.map((problem) => problem.split(':')[0])).toEqual([
    'lost fleet.instance',
    'gained fleet.instance',
  ]);
});

test('an entity that is resolved for anybody is found', async () => {
  const found = await entityFindings(entityKeys([careless]), subgraphTarget, parties);
  expect(places(found)).toEqual(['fleet: Command by id']);
  expect(found.map(({ problem }) => problem)).toContain("answered kind, params of another tenant's entity");
});

test('what row-level security does not stand behind is found, and only that', async () => {
  const { findings } = await rowLevelSecurityFindings([careless], carelessMatrix, parties);
  expect(places(findings)).toEqual(['Query.nameAsJob', "the victim's rows"]);
});
