import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { firing } from '../fleet/alerts/support/panel.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { sharedBrowser } from './support/browser.js';
import { closeSeats, heading, Person } from './support/console.js';
import { Line } from './support/line.js';

let panel: TestPanel;
let browser: Browser;
let tenant: Tenant;
beforeAll(async () => {
  if (!isChromiumThere) return;
  panel = await startTestPanel();
  browser = await sharedBrowser();
  tenant = await panel.world.tenant();
  await firing(panel, tenant, 'busy-01');
});
afterAll(async () => {
  if (panel) await closeSeats(panel.panel.url);
  await panel?.stop();
});

test.skipIf(!isChromiumThere)('axe-core finds nothing wrong with the sign-in', async () => {
  await using dana = await Person.come(browser, panel.panel.url);
  const page = await dana.open('/');
  await heading(page, 'Sign in');
  await page.getByRole('link', { name: 'Make an organization' }).waitFor();
  expect(await faultsOf(page)).toEqual([]);
});

test.skipIf(!isChromiumThere)(
  'the first load of the overview is at most 250 kB of script, as it goes over the wire',
  async () => {
    await using dana = await Person.come(browser, panel.panel.url);
    const first = await dana.signIn(tenant);
    await heading(first, 'Overview');
    // Whoever comes back signed in loads no page for signing in; another context would not be signed in.
    await first.goto('about:blank');
    const session = await dana.context.newCDPSession(first);
    await session.send('Network.clearBrowserCache');
    await first.goto(panel.panel.url);
    await first.getByText('What changed lately').waitFor();
    const scripts = await first.evaluate<{ name: string; encoded: number; decoded: number }[]>(
      `performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'))
         .map(({ name, encodedBodySize, decodedBodySize }) =>
           ({ name, encoded: encodedBodySize, decoded: decodedBodySize }))`,
    );
    const total = (of: 'encoded' | 'decoded') => scripts.reduce((sum, script) => sum + script[of], 0);
    expect(total('encoded')).toBeGreaterThan(50_000);
    expect(total('encoded')).toBeLessThan(250_000);
    expect(total('decoded')).toBeGreaterThan(2 * total('encoded'));
  },
);

test.skipIf(!isChromiumThere)(
  'being offline is shown, and is over when it is over; that a token was renewed is not',
  async () => {
    await using dana = await Person.come(browser, panel.panel.url);
    const line = await Line.of(dana.context);
    const page = await dana.signIn(tenant);
    await heading(page, 'Overview');
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    await page.evaluate(`globalThis.told = [];
    const state = document.querySelector('[data-connection]');
    new MutationObserver(() => told.push(state.dataset.connection, state.textContent))
      .observe(state, { attributes: true, childList: true, subtree: true, characterData: true })`);
    await line.cut(4419);
    await page.locator('[data-connection=reconnecting]').waitFor({ state: 'attached' });
    line.join();
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    expect(await page.evaluate('told.filter((each) => /lost/.test(each))')).toEqual([]);
    await dana.setOffline(true);
    await page.getByText('You are offline.').waitFor();
    await dana.setOffline(false);
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    expect(await page.getByText('You are offline.').count()).toBe(0);
    // A menu is gone with what was chosen in it, and by a press beside it.
    const menu = page.locator('.account');
    await menu.locator('summary').click();
    await menu.getByRole('link', { name: 'Your account' }).click();
    await heading(page, 'Your account');
    await menu.getByText('GraphiQL').waitFor({ state: 'hidden' });
    await menu.locator('summary').click();
    await menu.getByText('GraphiQL').waitFor();
    await page.getByRole('heading', { level: 1 }).click();
    await menu.getByText('GraphiQL').waitFor({ state: 'hidden' });
  },
);

test.skipIf(!isChromiumThere)(
  'an event that a page can not read is made good by reading anew, and ends no subscription',
  { timeout: 120_000 },
  async () => {
    const other = await panel.world.tenant();
    const node = await other.node('early-01');
    await node.beat();
    await using dana = await Person.come(browser, panel.panel.url);
    const line = await Line.of(dana.context);
    const page = await dana.signIn(other, '/instances');
    await page.getByRole('row', { name: 'early-01' }).waitFor();
    const opened: string[] = [];
    page.on('websocket', (socket) => opened.push(socket.url()));
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    line.spoil('instanceChanged');
    await other.node('late-01');
    await page.getByRole('row', { name: 'late-01' }).waitFor();
    await node.beat({ cpu_percent: 55 });
    await page.getByRole('row', { name: /early-01.*55 %/ }).waitFor();
    expect(opened).toEqual([]);
    expect(dana.complaints).toEqual([expect.stringContaining('null')]);
  },
);

test.skipIf(!isChromiumThere)(
  'a session is renewed again in time when the answer does not come, and its socket ends with it',
  { timeout: 120_000 },
  async () => {
    await using dana = await Person.come(browser, panel.panel.url);
    const page = await dana.signIn(tenant);
    await heading(page, 'Overview');
    let isLost = false;
    await page.route('**/console/session/refresh', async (route) => {
      if (isLost) return route.fallback();
      isLost = true;
      await route.fetch();
    });
    const opened = page.waitForEvent('websocket');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor({ timeout: 15_000 });
    const socket = await opened;
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    await page.locator('summary', { hasText: 'Owner' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'Sign in');
    if (!socket.isClosed()) await socket.waitForEvent('close', { timeout: 3_000 });
    expect(dana.complaints).toEqual([]);
  },
);

test.skipIf(!isChromiumThere)(
  'pages and their files draw on no allowance for guesses, and one that is refused says why',
  { timeout: 120_000 },
  async () => {
    await using limited = await startTestPanel({ RATE_LIMIT_PER_MINUTE: '100' });
    const { url } = limited.panel;
    const other = await limited.world.tenant();
    await using dana = await Person.come(browser, url);
    const page = await dana.signIn(other);
    await heading(page, 'Overview');
    const script = /\/assets\/[\w.-]+\.js/.exec(await page.content())![0];
    const files = await Promise.all(Array.from({ length: 110 }, async () => fetch(url + script)));
    expect(files.filter(({ status }) => status !== 200)).toEqual([]);
    const ask = async (what: string, body: object = {}) =>
      fetch(`${url}/console/session/${what}`, {
        method: 'POST',
        headers: { origin: url, 'x-quazzar-console': '1', 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    let guesses = 0;
    const guess = async () =>
      ask('login', { email: `${crypto.randomUUID()}@example.com`, password: 'a guess' });
    while ((await guess()).status !== 429) guesses += 1;
    // The registration and the sign-in above were two.
    expect(guesses).toBe(8);
    await page.reload();
    await heading(page, 'Overview');
    await Promise.all(Array.from({ length: 100 }, async () => ask('refresh')));
    expect((await ask('refresh')).status).toBe(429);
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'Too many requests came from your network.' }).waitFor();
    expect(dana.complaints).toEqual([]);
  },
);

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
    await dana.setOffline(true);
    const again = await panel.another({ PORT: new URL(panel.panel.url).port });
    expect(again.url).toBe(panel.panel.url);
    await calm.beat();
    await dana.setOffline(false);
    await page.getByRole('row', { name: /calm-01.*Healthy/ }).waitFor();
    await page.locator('[data-connection=live]').waitFor({ state: 'attached' });
    expect(await page.getByText('Reconnecting…').count()).toBe(0);
    const late = await tenant.node('late-01');
    await page.getByRole('row', { name: new RegExp(late.name) }).waitFor();
    expect(dana.complaints).toEqual([]);
  },
);
