import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { provider } from '../identity/msp/support.js';
import { isChromiumThere, launchChromium } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { nothingWrong, press, tabTo, visit } from './support/console.js';
import { focusedFault, retype } from './support/editing.js';

vi.setConfig({ testTimeout: 120_000 });

let panel: TestPanel;
let browser: Browser;
beforeAll(async () => {
  if (!isChromiumThere) return;
  panel = await startTestPanel();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await panel?.stop();
});

const at = async (who: Pick<Tenant, 'account'>, path: string, work: (page: Page) => Promise<void>) =>
  visit(browser, panel.panel.url, { who, path, work });

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe.skipIf(!isChromiumThere)('branding', () => {
  test('is looked at before it is saved, and says what is not well about it', async () => {
    const tenant = await provider(panel);
    expect(
      await at(tenant, '/organization/branding', async (page) => {
        await retype(page, 'Name that is shown', 'CloudHost Pro');
        await retype(page, 'Colour', 'red');
        await press(page, 'Save');
        expect(await focusedFault(page)).toContain('Primary colour must be #rrggbb.');
        expect(await faultsOf(page)).toEqual([]);
        await retype(page, 'Colour', '#ffee00');
        const looks = page.getByRole('region', { name: 'How it looks' });
        await looks.getByText('CloudHost Pro').waitFor();
        const colors = async () =>
          looks.getByText('Save the password').evaluate<string[], Element>((button) =>
            (({ backgroundColor, color }) => [backgroundColor, color])(
              (
                globalThis as unknown as {
                  getComputedStyle: (of: Element) => { backgroundColor: string; color: string };
                }
              ).getComputedStyle(button),
            ),
          );
        // Black where white is hard to read.
        expect(await colors()).toEqual(['rgb(255, 238, 0)', 'rgb(0, 0, 0)']);
        await tabTo(page, 'E-mail for help', 120);
        await page.keyboard.type('help@cloudhost.pro');
        await press(page, 'Save');
        await looks.getByText(/has a contrast of 1\.2 to 1/).waitFor();
        await looks.getByText('Help: help@cloudhost.pro').waitFor();
        const saved = dataOf(
          await tenant.graphql('{ branding { companyName primaryColor supportEmail logoUrl } }'),
        );
        expect(saved).toEqual({
          branding: {
            companyName: 'CloudHost Pro',
            primaryColor: '#ffee00',
            supportEmail: 'help@cloudhost.pro',
            logoUrl: null,
          },
        });
        await panel.sql(
          `update identity.branding set logo_sha256 = $2, logo_type = 'image/png', logo = $3 where tenant_id = $1`,
          [tenant.id, 'c'.repeat(64), png],
        );
        await page.reload();
        const logo = page.getByRole('img', { name: 'The logo of CloudHost Pro' });
        await logo.waitFor();
        await expect
          .poll(async () => logo.evaluate<number>('(image) => image.naturalWidth' as never))
          .toBe(1);
      }),
    ).toEqual(nothingWrong);
  });

  test('is for plans that have it, and only looked at by whoever may not change it', async () => {
    const free = await panel.world.tenant();
    expect(
      await at(free, '/organization/branding', async (page) => {
        await page.getByText('Your plan does not have this. An owner can change the plan.').waitFor();
        expect(await page.locator('main').getByRole('button').count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
    const tenant = await provider(panel);
    await tokenInRole(panel, tenant, 'VIEWER');
    expect(
      await at(tenant, '/organization/branding', async (page) => {
        await page.getByRole('region', { name: 'How it looks' }).waitFor();
        expect(await page.locator('main').getByRole('button').count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});
