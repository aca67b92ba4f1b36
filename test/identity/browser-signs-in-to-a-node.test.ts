import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { TestPanel } from '../support/panel.js';
import { isChromiumThere, launchChromium } from './support/chromium.js';
import { startNode } from './support/node.js';
import { startReachablePanel } from './support/oauth.js';
import { enableTotp, nextCode } from './support/totp.js';

/** Where the pages are drawn, for a person to look at. */
const shots = process.env['SCREENSHOTS'];

let panel: TestPanel;
let browser: Browser;
beforeAll(async () => {
  if (!isChromiumThere) return;
  panel = await startReachablePanel();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await panel?.stop();
});

test.skipIf(!isChromiumThere)(
  'a person signs in to a node through the consent page, with a one-time code',
  async () => {
    const tenant = await panel.world.tenant('Acme');
    const { secret } = await enableTotp(panel, tenant);
    await using node = await startNode(panel, tenant);
    const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    const draw = async (name: string) => {
      if (shots) await page.screenshot({ path: `${shots}/${name}.png` });
    };

    await page.goto(node.baseUrl);
    await page.getByRole('link', { name: 'Sign in with Quazzar Cloud' }).click();
    expect(page.url()).toMatch(new RegExp(`^${panel.panel.url}/oauth/authorize\\?`));
    await page.getByLabel('E-mail').fill(tenant.account.email);
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await page.getByRole('alert').textContent()).toBe('E-mail address or password is wrong.');
    await draw('1-login');

    await page.getByLabel('Password').fill(tenant.account.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Code from your authenticator app').fill(await nextCode(panel, secret));
    await draw('2-code');
    await page.getByRole('button', { name: 'Continue' }).click();

    expect(await page.getByRole('heading').textContent()).toBe('Sign in to production-01?');
    expect(await page.locator('.node').textContent()).toContain('cloud.example.com');
    await draw('3-consent');
    await page.getByRole('button', { name: 'Allow' }).click();

    await page.waitForURL(`${node.baseUrl}/`);
    expect(await page.locator('dl').textContent()).toContain(tenant.account.email);
    await draw('4-node');

    // The second time the panel still knows the browser: consent alone.
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in with Quazzar Cloud' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForURL(`${node.baseUrl}/callback?*`);
    expect(await page.getByRole('alert').textContent()).toBe('You did not allow the sign-in');
    // Statuses of refused forms are told on the console; what a policy blocked would be as well.
    expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
  },
  60_000,
);

// Cookies know no ports: to a browser two nodes on one machine are one host.
test.skipIf(!isChromiumThere)(
  'a person is signed in to two nodes of one machine at once',
  async () => {
    const tenant = await panel.world.tenant('Two nodes');
    await using first = await startNode(panel, tenant, 'first-01');
    await using second = await startNode(panel, tenant, 'second-01');
    const page = await browser.newPage();
    await page.goto(`${first.baseUrl}/login`);
    await page.getByLabel('E-mail').fill(tenant.account.email);
    await page.getByLabel('Password').fill(tenant.account.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(`${first.baseUrl}/`);
    await page.goto(`${second.baseUrl}/login`);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(`${second.baseUrl}/`);
    for (const node of [first, second]) {
      await page.goto(node.baseUrl);
      expect(await page.locator('dl').textContent()).toContain(tenant.account.email);
    }
  },
  60_000,
);
