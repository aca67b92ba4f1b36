import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { firing } from '../fleet/alerts/support/panel.js';
import { sent } from '../fleet/commands/support/commands.js';
import { create, encrypted } from '../governance/support/tenant.js';
import { isChromiumThere, launchChromium } from '../identity/support/chromium.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import type { Node, Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { heading, Person } from './support/console.js';

let panel: TestPanel;
let browser: Browser;
let tenant: Tenant;
let node: Node;
let commandId: string;
let policyId: string;
beforeAll(async () => {
  if (!isChromiumThere) return;
  panel = await startTestPanel();
  browser = await launchChromium();
  tenant = await panel.world.tenant();
  ({ node } = await firing(panel, tenant, 'busy-01'));
  commandId = await sent(tenant, [node]);
  await tenant.grantPlan('PRO');
  policyId = await create(tenant, { name: 'Encrypted backups', rule: encrypted });
});
afterAll(async () => {
  await browser?.close();
  await panel?.stop();
});

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
    ['/governance', 'Policies', 'Encrypted backups'],
    [`/governance/policies/${policyId}`, 'Encrypted backups', 'Version 1'],
    ['/governance/scores', 'Scores', 'Formula'],
    ['/governance/canaries', 'Canaries', 'There was none yet.'],
    ['/governance/gitops', 'GitOps', 'None is followed yet.'],
    ['/servers', 'Servers', 'There is none yet.'],
    ['/kubernetes', 'Kubernetes', 'None is known yet.'],
    ['/billing', 'Billing', 'Change the plan'],
    ['/clients', 'Clients', 'Your plan does not have this.'],
    ['/partners', 'Partners', 'You are no partner yet.'],
    ['/members', 'Members', 'No invitation is open.'],
    ['/api-keys', 'API keys', 'There is none yet.'],
    ['/audit', 'Audit trail', 'createEnrollmentToken'],
    ['/profile', 'Your account', 'This browser'],
    ['/no/such/page', 'There is no such page', 'To the overview'],
  ];
}

test.skipIf(!isChromiumThere)('axe-core finds nothing wrong with the sign-in', async () => {
  await using dana = await Person.come(browser, panel.panel.url);
  const page = await dana.open('/');
  await heading(page, 'Sign in');
  expect(await faultsOf(page)).toEqual([]);
});

test.skipIf(!isChromiumThere)(
  'axe-core finds nothing wrong with any page, light or dark, and each fits a window of 360 pixels',
  { timeout: 300_000 },
  async () => {
    await using dana = await Person.come(browser, panel.panel.url);
    const page = await dana.signIn(tenant);
    await heading(page, 'Overview');
    for (const [path, title, shown] of pages()) {
      await page.goto(panel.panel.url + path);
      await heading(page, title);
      await page.getByText(shown).first().waitFor();
      expect.soft([path, await faultsOf(page)]).toEqual([path, []]);
      // Only colours are otherwise in the dark.
      await page.emulateMedia({ colorScheme: 'dark' });
      expect.soft([path, await faultsOf(page, ['color-contrast'])]).toEqual([path, []]);
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 360, height: 740 });
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect.soft([path, width]).toEqual([path, 360]);
      await page.setViewportSize({ width: 1280, height: 720 });
    }
    expect([dana.complaints, dana.strangers]).toEqual([[], []]);
  },
);

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
    await using limited = await startTestPanel({ RATE_LIMIT_PER_MINUTE: '200' });
    const { url } = limited.panel;
    const other = await limited.world.tenant();
    await using dana = await Person.come(browser, url);
    const page = await dana.signIn(other);
    await heading(page, 'Overview');
    const script = /\/assets\/[\w.-]+\.js/.exec(await page.content())![0];
    const files = await Promise.all(Array.from({ length: 210 }, async () => fetch(url + script)));
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
    expect(guesses).toBe(18);
    await page.reload();
    await heading(page, 'Overview');
    await Promise.all(Array.from({ length: 200 }, async () => ask('refresh')));
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
