import { describe, expect, test, vi } from 'vitest';

import { dayMs, startBillingPanel } from '../billing/support/billing-panel.js';
import { clockOf, timeOf } from '../billing/support/test-clock.js';
import { isChromiumThere } from '../identity/support/chromium.js';
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

  test('moves a test clock on, after having asked', async () => {
    const tenant = await stage.panel.world.tenant();
    const before = await timeOf(tenant);
    const to = new Date(before.getTime() + dayMs);
    expect(
      await at(tenant, '/billing', async (page) => {
        const local = await page.evaluate<string>(
          `(() => { const at = new Date(${to.getTime()}); at.setMinutes(at.getMinutes() - at.getTimezoneOffset());
             return at.toISOString().slice(0, 16); })()`,
        );
        await page.getByLabel('Move it on to').fill(local);
        await press(page, /^Move the test clock on to/, 'Move it on');
        await page.getByText('The test clock is moved on.').waitFor();
        await until(async () => (await clockOf(tenant)).status === 'READY', 'the clock to be there');
      }),
    ).toEqual(nothingWrong);
    expect((await timeOf(tenant)).getTime()).toBeGreaterThan(before.getTime() + dayMs - 60_000);
  });
});
