import { afterAll, beforeAll, expect, test } from 'vitest';

import { startTestPanel, type TestPanel } from '../support/panel.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

const enroll = async (token: string, name: string) =>
  panel.world.rest('/api/agent/enroll', {
    body: { token, name, hostname: `${name}.example.com`, version: '0.2.9' },
  });

test('30 nodes that enroll at once near the limit of the plan never go over it', async () => {
  const tenant = await panel.world.tenant();
  await tenant.node();
  const token = await tenant.enrollmentToken();
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => enroll(token, `n${index}`)),
  );
  const refused = answers.filter(({ status }) => status === 409);
  expect({
    enrolled: answers.filter(({ status }) => status === 201).length,
    refused: refused.length,
    listed: (await tenant.rest<unknown[]>('/api/fleet/instances')).body.length,
  }).toEqual({ enrolled: 2, refused: 28, listed: 3 });
  expect(refused[0]?.body).toEqual({
    error: 'The plan free allows 3 instances',
    details: { limit: 3, used: 3, plan: 'pro' },
  });
});

test('a refused node has not used the enrollment token', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken({ max_uses: 4 });
  for (let index = 0; index < 4; index += 1) await enroll(token, `n${index}`);
  const { body } = await tenant.rest<{ uses: number }[]>('/api/fleet/tokens');
  expect(body.map(({ uses }) => uses)).toEqual([3]);
});

test('a larger plan makes room at once, and a smaller one takes nothing away', async () => {
  const tenant = await panel.world.tenant();
  const token = await tenant.enrollmentToken();
  for (let index = 0; index < 3; index += 1) await enroll(token, `n${index}`);
  expect((await enroll(token, 'fourth')).status).toBe(409);
  await tenant.grantPlan('PRO');
  expect((await enroll(token, 'fourth')).status).toBe(201);
  await tenant.grantPlan('FREE');
  expect((await enroll(token, 'fifth')).status).toBe(409);
  expect((await tenant.rest<unknown[]>('/api/fleet/instances')).body).toHaveLength(4);
});
