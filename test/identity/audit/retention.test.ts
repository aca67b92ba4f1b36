import { expect, test } from 'vitest';

import { startTestPanel } from '../../support/panel.js';
import { until } from '../../support/world.js';
import { settled, trailOf, verify } from './support.js';

const day = 24 * 60 * 60 * 1000;

test('entries are kept for a year, and what is left afterwards still verifies', async () => {
  await using panel = await startTestPanel();
  const tenant = await panel.world.tenant();
  await tenant.node();
  await settled(panel, tenant.id);
  const count = async () => {
    const rows = await panel.sql('select 1 from identity.audit_event where tenant_id = $1', [tenant.id]);
    return rows.length;
  };
  await panel.clock.leap(300 * day);
  await panel.world.login(tenant.account.email, tenant.account.password);
  await until(async () => (await count()) === 4, 'the sign-in in the trail');
  await panel.clock.leap(64 * day);
  expect(await count()).toBe(4);

  let left = await count();
  await panel.clock.leap(2 * day);
  await until(async () => {
    await panel.clock.leap(60 * 60 * 1000);
    left = await count();
    return left === 1;
  }, 'the old entries to go');
  const answer = await panel.world.login(tenant.account.email, tenant.account.password);
  const back = Object.assign(Object.create(tenant), { token: answer.body.access_token });
  await until(async () => (await trailOf(back)).nodes.length === 2, 'the new sign-in in the trail');
  expect((await trailOf(back)).nodes.map(({ action, sequence }) => [sequence, action])).toEqual([
    [5, 'login'],
    [4, 'login'],
  ]);
  expect(await verify(back)).toEqual({ isIntact: true, checked: 2, brokenAt: null, problem: null });

  await panel.sql(`delete from identity.audit_event where tenant_id = $1 and sequence = 4`, [tenant.id]);
  expect(await verify(back)).toEqual({ isIntact: false, checked: 0, brokenAt: 4, problem: 'ROW_MISSING' });
});
