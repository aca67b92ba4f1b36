import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { isChromiumThere } from '../identity/support/chromium.js';
import { RichScene } from '../security/rich-scene.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel, testAdministrator, type TestPanel } from '../support/panel.js';
import { faultsIn, faultsOf } from './support/axe.js';
import { sharedBrowser } from './support/browser.js';
import { closeSeats, isWalkedByTab, Person } from './support/console.js';
import { narrowed } from './support/fits.js';
import { dialogTitles, listedPages, routePaths } from './support/pages.js';

let panel: TestPanel;
let browser: Browser;
let scene: RichScene;
let clientId: string;
beforeAll(async () => {
  if (!isChromiumThere) return;
  panel = await startTestPanel();
  browser = await sharedBrowser();
  // A tenant that has something of everything.
  scene = await RichScene.rich(panel);
  const { mspClients } = dataOf(
    await scene.tenant.graphql<{ mspClients: { nodes: [{ id: string }] } }>(
      '{ mspClients { nodes { id } } }',
    ),
  );
  clientId = mspClients.nodes[0].id;
}, 300_000);
afterAll(async () => {
  if (panel) await closeSeats(panel.panel.url);
  await panel?.stop();
});

/** Of what the page of one thing is; test/security/scene.ts finds one, but for a client, which is another tenant. */
const nouns: Readonly<Record<string, string>> = {
  '/instances/$id': 'instance',
  '/commands/$id': 'command',
  '/governance/policies/$id': 'policy',
  '/governance/canaries/$id': 'canary',
  '/servers/$id': 'server',
  '/kubernetes/$id': 'cluster',
  '/kubernetes/deployments/$id': 'deployment',
  '/partners/$id': 'partner',
  '/clients/$id': 'client',
};

/** Dialogs that are there only once something was done: tests of that look at them. */
const elsewhere: readonly RegExp[] = [/^Token for .+$/, /^Secret of .+$/, /^Another secret for .+$/];

function addressOf(path: string): string {
  if (!path.includes('$')) return path;
  const noun = nouns[path];
  if (noun === undefined) throw new Error(`say in \`nouns\` of what ${path} is the page`);
  return path.replace('$id', noun === 'client' ? clientId : scene.id(noun));
}

/** Whoever of the two may see the page: its own people, or the panel's administrator. */
async function visitorOf(path: string): Promise<'owner' | 'administrator'> {
  const permission = listedPages().get(path);
  if (permission === undefined) return 'owner';
  const { permissions } = dataOf(await scene.tenant.graphql<{ permissions: string[] }>('{ permissions }'));
  return permissions.includes(permission) ? 'owner' : 'administrator';
}

/** Until the page has what it asked for. */
async function shown(page: Page, address: string): Promise<void> {
  await page.goto(panel.panel.url + address);
  await page.locator('#main h1').waitFor();
  await page.waitForLoadState('networkidle');
  await expect.poll(async () => page.locator('#main').innerText()).not.toMatch(/(Reading|Asking).*…/);
  // What is folded away is a part of the page too.
  await page.evaluate(`for (const part of document.querySelectorAll('#main details')) part.open = true`);
}

/** Each button that opens a dialog, one of those that say the same. */
async function openers(page: Page, path: string): Promise<Locator[]> {
  // What is around the pages is the same for all.
  const within = path === '/' ? 'body' : '#main';
  const marked = await page.locator(`${within} button[aria-haspopup=dialog]:visible:enabled`).all();
  const byText = new Map<string, Locator>();
  for (const button of marked) byText.set(await button.innerText(), button);
  return [...byText.values()];
}

test.skipIf(!isChromiumThere)(
  'axe-core finds nothing wrong with any page that is full, light or dark, or with a dialog of it, and each is walked by Tab and fits 360 pixels',
  { timeout: 900_000 },
  async () => {
    const paths = routePaths();
    expect(paths.length).toBeGreaterThan(20);
    expect([...listedPages().keys()].filter((path) => !paths.includes(path))).toEqual([]);
    const opened: string[] = [];
    await using dana = await Person.come(browser, panel.panel.url);
    await using root = await Person.come(browser, panel.panel.url);
    const pageOf = {
      owner: await dana.signIn(scene.tenant),
      administrator: await root.signIn({ account: testAdministrator as typeof scene.tenant.account }),
    };
    for (const page of Object.values(pageOf)) await page.locator('#main h1').waitFor();
    for (const path of [...paths, '/no/such/page']) {
      const page = pageOf[await visitorOf(path)];
      await shown(page, addressOf(path));
      const isThere = (await page.locator('#main h1').innerText()) !== 'There is no such page';
      expect.soft([path, isThere]).toEqual([path, path !== '/no/such/page']);
      expect.soft([path, await faultsOf(page)]).toEqual([path, []]);
      // Only colours are otherwise in the dark.
      await page.emulateMedia({ colorScheme: 'dark' });
      expect.soft([path, await faultsOf(page, ['color-contrast'])]).toEqual([path, []]);
      await page.emulateMedia({ colorScheme: 'light' });
      for (const button of await openers(page, path)) {
        await button.press('Enter');
        const dialog = page.getByRole('dialog');
        await dialog.waitFor();
        const title = await dialog.getByRole('heading').first().innerText();
        opened.push(title);
        expect.soft([path, title, await faultsIn(page, '[role=dialog]')]).toEqual([path, title, []]);
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });
        const isBack = await button
          .and(page.locator(':focus'))
          .waitFor({ timeout: 2_000 })
          .then(
            () => true,
            () => false,
          );
        expect.soft([path, title, isBack]).toEqual([path, title, true]);
      }
      expect.soft([path, await isWalkedByTab(page)]).toEqual([path, true]);
      expect.soft([path, await narrowed(page)]).toEqual([path, 360]);
      await page.setViewportSize({ width: 1280, height: 720 });
    }
    const unseen = [...dialogTitles()].filter(
      (title) =>
        !opened.some((each) => title.test(each)) && !elsewhere.some(({ source }) => source === title.source),
    );
    expect.soft(unseen).toEqual([]);
    expect([dana.complaints, dana.strangers, root.complaints]).toEqual([[], [], []]);
  },
);
