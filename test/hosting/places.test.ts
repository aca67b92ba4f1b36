import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { hostingTenant, provision, startHostingPanel, type HostingPanel } from './support/hosting-panel.js';

// Steps follow each other through the queue, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

let panel: HostingPanel;
beforeAll(async () => {
  panel = await startHostingPanel();
});
afterAll(async () => panel.stop());

test('places under the plan are kept from the wish on, and not needed without Cloud OS', async () => {
  const { tenant } = await hostingTenant(panel, 'FREE');
  for (const name of ['one', 'two', 'three'])
    expect((await provision(tenant, { name })).errors).toBeUndefined();
  const fourth = await provision(tenant, { name: 'four' });
  expect(fourth.errors?.[0]?.extensions).toMatchObject({
    code: 'LIMIT_REACHED',
    details: { limit: 3, used: 3, plan: 'pro' },
  });
  expect((await provision(tenant, { name: 'plain', installCloudOs: false })).errors).toBeUndefined();
});

test('while more is stored than the plan allows no server with Cloud OS is asked for', async () => {
  const { tenant } = await hostingTenant(panel, 'FREE');
  await (await tenant.node()).beat({ storage_used_gb: 11 });
  const refused = await provision(tenant, { name: 'one' });
  expect(refused.errors?.[0]?.extensions).toMatchObject({
    code: 'LIMIT_REACHED',
    reason: 'STORAGE_LIMIT',
    details: { limit: 10, used: 11, plan: 'pro' },
  });
  expect((await provision(tenant, { name: 'plain', installCloudOs: false })).errors).toBeUndefined();
});

test('places under the plan are given back by a failure', async () => {
  const { tenant } = await hostingTenant(panel, 'FREE');
  panel.hetzner.addFault({ kind: 'error', method: 'POST', code: 'placement_error', body: 'unlucky' });
  for (const name of ['first', 'second', 'unlucky'])
    expect((await provision(tenant, { name })).errors).toBeUndefined();
  await panel.pass(async () => {
    const { body } = await tenant.rest<{ name: string; status: string }[]>('/api/hosting/servers');
    return body.every(({ name, status }) => status === (name === 'unlucky' ? 'failed' : 'running'));
  }, 'all to be settled');
  expect((await provision(tenant, { name: 'third' })).errors).toBeUndefined();
  const { errors } = await provision(tenant, { name: 'fourth' });
  expect(errors?.[0]?.extensions['code']).toBe('LIMIT_REACHED');
});
