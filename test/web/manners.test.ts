import { createRequire } from 'node:module';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { firing } from '../fleet/alerts/support/panel.js';
import { sent } from '../fleet/commands/support/commands.js';
import { isChromiumThere, launchChromium } from '../identity/support/chromium.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Node, Tenant } from '../support/world.js';
import { heading, Person } from './support/console.js';

let panel: TestPanel;
let browser: Browser;
let tenant: Tenant;
let node: Node;
let commandId: string;
beforeAll(async () => {
  if (!isChromiumThere) return;
  panel = await startTestPanel();
  browser = await launchChromium();
  tenant = await panel.world.tenant();
  ({ node } = await firing(panel, tenant, 'busy-01'));
  commandId = await sent(tenant, [node]);
});
afterAll(async () => {
  await browser?.close();
  await panel?.stop();
});

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe-core finds wrong with the page, in words. */
async function faultsOf(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.addScriptTag({ path: axePath });
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: () => Promise<AxeResults> } };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

interface AxeResults {
  violations: { id: string; nodes: { html: string }[] }[];
}

/** Every page, with what it says when it is there. */
function pages(): [path: string, title: string | RegExp, shown: string][] {
  return [
    ['/', 'Overview', 'What changed lately'],
    ['/instances', 'Instances', 'busy-01'],
    [`/instances/${node.id}`, 'busy-01', 'Licence and server'],
    ['/alerts', 'Alerts', 'The CPU is at'],
    ['/commands', 'Commands', '1 instance'],
    [`/commands/${commandId}`, 'Restart', 'busy-01'],
    ['/commands/new', 'Send a command', 'Choose whom it is for.'],
    ['/enrollment', 'Enrollment', 'Make a token'],
    ['/no/such/page', 'There is no such page', 'To the overview'],
  ];
}

test.skipIf(!isChromiumThere)('axe-core finds nothing wrong with the sign-in', async () => {
  await using dana = await Person.come(browser, panel.panel.url, { bypassCSP: true });
  const page = await dana.open('/');
  await heading(page, 'Sign in');
  expect(await faultsOf(page)).toEqual([]);
});

test.skipIf(!isChromiumThere).each(['light', 'dark'] as const)(
  'axe-core finds nothing wrong with any page, %s',
  { timeout: 240_000 },
  async (colorScheme) => {
    // The test puts axe-core into the page, which the policy would forbid.
    await using dana = await Person.come(browser, panel.panel.url, { bypassCSP: true, colorScheme });
    const page = await dana.signIn(tenant);
    await heading(page, 'Overview');
    for (const [path, title, shown] of pages()) {
      await page.goto(panel.panel.url + path);
      await heading(page, title);
      await page.getByText(shown).first().waitFor();
      expect([path, await faultsOf(page)]).toEqual([path, []]);
    }
  },
);

test.skipIf(!isChromiumThere)('every page fits a window of 360 pixels', { timeout: 240_000 }, async () => {
  await using dana = await Person.come(browser, panel.panel.url, { viewport: { width: 360, height: 740 } });
  const page = await dana.signIn(tenant);
  await heading(page, 'Overview');
  for (const [path, title, shown] of pages()) {
    await page.goto(panel.panel.url + path);
    await heading(page, title);
    await page.getByText(shown).first().waitFor();
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    expect([path, width]).toEqual([path, 360]);
  }
  expect([dana.complaints, dana.strangers]).toEqual([[], []]);
});

test.skipIf(!isChromiumThere)('being offline is shown, and is over when it is over', async () => {
  await using dana = await Person.come(browser, panel.panel.url);
  const page = await dana.signIn(tenant);
  await heading(page, 'Overview');
  await dana.context.setOffline(true);
  await page.getByText('You are offline.').waitFor();
  await dana.context.setOffline(false);
  await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
  expect(await page.getByText('You are offline.').count()).toBe(0);
});

test.skipIf(!isChromiumThere)(
  'a panel that starts again is found again, and nothing that happens is missed',
  { timeout: 120_000 },
  async () => {
    await using dana = await Person.come(browser, panel.panel.url);
    const page = await dana.signIn(tenant, '/instances');
    await page.getByRole('row', { name: /busy-01/ }).waitFor();
    const calm = await tenant.node('calm-01');
    await page.getByRole('row', { name: /calm-01.*Offline/ }).waitFor();
    await panel.panel.stop();
    await page.getByText('The connection to the panel is lost. Reconnecting…').waitFor();
    // A browser that is offline can't come back before it has happened.
    await dana.context.setOffline(true);
    const again = await panel.another({ PORT: new URL(panel.panel.url).port });
    expect(again.url).toBe(panel.panel.url);
    await calm.beat();
    await dana.context.setOffline(false);
    await page.getByRole('row', { name: /calm-01.*Healthy/ }).waitFor();
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    expect(await page.getByText('Reconnecting…').count()).toBe(0);
    const late = await tenant.node('late-01');
    await page.getByRole('row', { name: new RegExp(late.name) }).waitFor();
    expect(dana.complaints).toEqual([]);
  },
);
