import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

test('a node that beats is listed healthy', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  const { body } = await tenant.rest<unknown[]>('/api/fleet/instances');
  expect(body).toHaveLength(1);
});
