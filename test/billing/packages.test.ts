import { afterAll, beforeAll, expect, test } from 'vitest';

import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

interface Package {
  id: string;
  name: string;
  features: string[];
  instanceLimit: number | null;
  userLimit: number | null;
  storageGbLimit: number | null;
}

const query = '{ packages { id name features instanceLimit userLimit storageGbLimit } }';

test('there are three packages, the smallest first, and whoever reads the tenant may read them', async () => {
  const tenant = await panel.world.tenant();
  const { packages } = dataOf(await tenant.graphql<{ packages: Package[] }>(query));
  expect(packages).toEqual([
    {
      id: 'free',
      name: 'Free',
      features: ['fleet-management'],
      instanceLimit: 3,
      userLimit: 3,
      storageGbLimit: 10,
    },
    {
      id: 'pro',
      name: 'Pro',
      features: expect.arrayContaining(['governance', 'ha-clustering']),
      instanceLimit: 25,
      userLimit: 50,
      storageGbLimit: 500,
    },
    {
      id: 'enterprise',
      name: 'Enterprise',
      features: expect.arrayContaining(['msp', 'white-label']),
      instanceLimit: null,
      userLimit: null,
      storageGbLimit: null,
    },
  ]);
  const token = await tokenInRole(panel, tenant, 'VIEWER');
  expect(dataOf(await panel.world.graphql(query, {}, token))).toEqual({ packages });
});

test('a package is what its plan gives', async () => {
  const tenant = await panel.world.tenant();
  const { packages } = dataOf(await tenant.graphql<{ packages: Package[] }>(query));
  for (const { id, instanceLimit } of packages) {
    await tenant.grantPlan(id.toUpperCase() as 'FREE' | 'PRO' | 'ENTERPRISE');
    expect([id, await tenant.instanceLimit()]).toEqual([id, instanceLimit]);
  }
});

test('nobody without a token, and no node, is shown packages', async () => {
  const tenant = await panel.world.tenant();
  const node = await tenant.node();
  const codes = await Promise.all(
    [undefined, node.credential].map(async (token) => {
      const { errors } = await panel.world.graphql(query, {}, token);
      return errors?.[0]?.extensions['code'];
    }),
  );
  expect(codes).toEqual(['UNAUTHENTICATED', 'FORBIDDEN']);
});
