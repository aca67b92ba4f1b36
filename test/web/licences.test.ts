import { describe, expect, test, vi } from 'vitest';

import { proTenant, startBillingPanel } from '../billing/support/billing-panel.js';
import { clockOf } from '../billing/support/test-clock.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { tokenInRole } from '../support/roles.js';
import { until } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, nothingWrong, press } from './support/console.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 120_000 });

const stage = useStage(async () => startBillingPanel({ settings: { TEST_CLOCKS: 'true' } }));
const { at } = stage;

describe.skipIf(!isChromiumThere)('the console', () => {
  test('shows what licence an instance has and what is to be done about it, and those that have ended by themselves', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/licences', async (page) => {
        const rows = page.getByRole('list', { name: 'Licences of instances' }).getByRole('listitem');
        await page.getByText('No instance has one yet').waitFor();
        await tenant.node('licensed-01');
        await until(async () => {
          const { data } = await tenant.graphql<{ licences: { nodes: unknown[] } }>(
            '{ licences(first: 1) { nodes { id } } }',
          );
          return data?.licences.nodes.length === 1;
        }, 'the licence');
        await page.reload();
        await rows.getByText('Nothing is to be done: it is issued anew').waitFor();
        await page.getByText('1 licence', { exact: true }).waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await choose(page, 'Show', 'Those that have ended');
        await page.getByText('None is like this.').waitFor();
        expect(new URL(page.url()).search).toBe('?status=EXPIRED');
        await choose(page, 'Show', 'All');
        await rows.getByRole('link', { name: 'licensed-01' }).click();
        await page.getByRole('heading', { level: 1, name: 'licensed-01' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('moves a test clock on after having asked, says why it does not, and lets nobody who may only look', async () => {
    const tenant = await proTenant(stage.panel);
    const before = await clockOf(tenant);
    const to = new Date(Date.parse(before.now) + 2 * 86_400_000);
    const asTyped = (at: Date) => at.toISOString().slice(0, 16);
    expect(
      await at(tenant, '/billing', async (page) => {
        const card = page.getByRole('region', { name: 'Test clock' });
        const zone = await page.evaluate<number>('new Date().getTimezoneOffset()');
        const local = (moment: Date) => asTyped(new Date(moment.getTime() - zone * 60_000));
        await card.getByLabel('Move it on to').fill(local(new Date(Date.parse(before.now) - 86_400_000)));
        await press(page, /^Move the test clock on to/, 'Move it on');
        await card.getByRole('alert').filter({ hasText: 'its time does not go back' }).waitFor();
        expect((await clockOf(tenant)).now).toBe(before.now);
        await card.getByLabel('Move it on to').fill(local(to));
        await press(page, /^Move the test clock on to/);
        await page.getByRole('dialog').getByText('Time does not go back.').waitFor();
        await press(page, 'Leave it');
        expect((await clockOf(tenant)).now).toBe(before.now);
        await press(page, /^Move the test clock on to/, 'Move it on');
        await page.getByText('The test clock is moved on.').waitFor();
        await expect.poll(async () => (await clockOf(tenant)).status).toBe('READY');
        expect(Date.parse((await clockOf(tenant)).now)).toBeGreaterThanOrEqual(
          Math.floor(to.getTime() / 60_000) * 60_000,
        );
      }),
    ).toEqual(nothingWrong);
    const other = await stage.panel.world.tenant();
    await tokenInRole(stage.panel, other, 'VIEWER');
    expect(
      await at(other, '/billing', async (page) => {
        await page.getByRole('region', { name: 'Test clock' }).getByText('It is').waitFor();
        expect(await page.getByLabel('Move it on to').count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});
