import { readFileSync } from 'node:fs';

import { buildSchema } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Subgraphs } from '#panel/subgraphs.js';
import { assetPath } from '#platform/package-root.js';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { roleFindings } from './check-roles.js';
import { subscriptionRoleFindings } from './check-subscriptions.js';
import { summary } from './findings.js';
import { callers, matrix, matrixFindings } from './matrix.js';
import { rootFields } from './operations.js';
import { RichScene } from './rich-scene.js';
import { Scene } from './scene.js';
import { subgraphsOf } from './subgraphs.js';
import { panelTarget, subgraphTarget } from './target.js';

const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
let panel: TestPanel;
let scene: RichScene;
let subgraphs: Subgraphs;
beforeAll(async () => {
  panel = await startTestPanel();
  scene = await RichScene.rich(panel);
  subgraphs = await subgraphsOf(panel);
});
afterAll(async () => {
  await subgraphs?.stop();
  await panel?.stop();
});

test('for every operation it is declared who may call it, and for nothing else', () => {
  expect(matrixFindings(schema, matrix)).toEqual([]);
});

test('every query and mutation lets in whom the matrix lets in, and nobody else', async () => {
  const found = await roleFindings(
    panelTarget(panel.panel.url, schema),
    matrix,
    { shared: scene, fresh: () => Scene.make(panel, scene) },
    subgraphs.all.map((subgraph) => subgraphTarget(subgraph)),
  );
  process.stdout.write(
    summary('roles', { operations: rootFields(schema).length, callers: callers.length }, found),
  );
  expect(found).toEqual([]);
}, 300_000);

test('every subscription lets in whom the matrix lets in, and nobody else', async () => {
  expect(await subscriptionRoleFindings(panelTarget(panel.panel.url, schema), matrix, scene)).toEqual([]);
});
