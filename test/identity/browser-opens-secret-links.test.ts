import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startPanel } from '#panel/panel.js';
import { panelOptions } from '#panel/run.js';
import { silentLogger } from '#platform/logger.js';

import { TestClock } from '../support/clock.js';
import { createTestDatabase, startTestPanel, testSecretsKey, type TestPanel } from '../support/panel.js';
import { World } from '../support/world.js';
import { isChromiumThere, launchChromium } from './support/chromium.js';
import { Mailbox } from './support/mailbox.js';

let mailbox: Mailbox;
let panel: TestPanel;
let browser: Browser;
beforeAll(async () => {
  if (!isChromiumThere) return;
  mailbox = await Mailbox.start();
  panel = await startTestPanel({ SMTP_URL: mailbox.url });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await panel?.stop();
  await mailbox?.[Symbol.asyncDispose]();
});

const password = 'correct horse battery staple';

/** What the page says once the button was pressed, and whether there is still something to press. */
async function press(page: Page, button: string): Promise<[said: string | null, isOpen: boolean]> {
  await page.getByRole('button', { name: button }).click();
  const output = page.locator('output:not(:empty)');
  return [await output.textContent(), await page.locator('form').isVisible()];
}

/** What the page says before anything is pressed, and whether there is something to press. */
async function saidAtOnce(page: Page): Promise<[said: string | null, isOpen: boolean]> {
  const said = await page.locator('output:not(:empty)').textContent();
  return [said, await page.locator('form').isVisible()];
}

async function waysOn(page: Page): Promise<(string | null)[]> {
  const links = await page.locator('nav a').all();
  return Promise.all(links.map(async (link) => link.getAttribute('href')));
}

test.skipIf(!isChromiumThere)(
  'a person sets the panel up by its link, once',
  { timeout: 60_000 },
  async () => {
    const database = await createTestDatabase();
    const fresh = await startPanel({
      ...panelOptions({
        DATABASE_URL: database.url,
        SECRETS_KEY: testSecretsKey,
        DRAIN_SECONDS: '0',
        PORT: '0',
        HOST: '127.0.0.1',
        PUBLIC_URL: 'http://panel.test',
      }),
      logger: silentLogger,
    });
    const page = await browser.newPage();
    await page.goto(fresh.setupLink!.replace('http://panel.test', fresh.url));
    await page.getByLabel('Your name').fill('Root');
    await page.getByLabel('E-mail').fill('root@example.com');
    await page.getByLabel('Password').fill(password);
    const done = await press(page, 'Make the administrator');
    expect(done).toEqual([expect.stringMatching(/^Done\. You are the administrator/), false]);
    expect(await waysOn(page)).toEqual(['/']);
    const signedIn = await new World(fresh.url, new TestClock()).login('root@example.com', password);
    expect(signedIn.status).toBe(200);

    await page.reload();
    expect(await saidAtOnce(page)).toEqual([expect.stringContaining('was used before'), false]);
    await page.close();
    await fresh.stop();
    await database.drop();
  },
);

test.skipIf(!isChromiumThere)(
  'who has no account is led from the sign-in to where they make an organization, unless registration is closed',
  { timeout: 60_000 },
  async () => {
    const page = await browser.newPage();
    await page.goto(panel.panel.url);
    await page.getByRole('link', { name: 'Make an organization' }).click();
    await page.getByLabel('Your name').fill('Dana');
    await page.getByLabel('Organization').fill('Dana Ltd');
    await page.getByLabel('E-mail').fill('dana@register.example');
    await page.getByLabel('Password').fill(password);
    const done = await press(page, 'Make the organization');
    expect(done).toEqual([expect.stringMatching(/^Done\. You are its owner/), false]);
    expect(await waysOn(page)).toEqual(['/']);
    const { status, body } = await panel.world.login('dana@register.example', password);
    expect([status, body.user.tenant.name]).toEqual([200, 'Dana Ltd']);

    await using closed = await startTestPanel({ REGISTRATION: 'closed' });
    const told = page.waitForResponse((response) => response.url().endsWith('/graphql'));
    await page.goto(closed.panel.url);
    expect(await (await told).json()).toEqual({ data: { registration: 'CLOSED' } });
    await page.getByRole('link', { name: 'Forgot your password?' }).waitFor();
    expect(await page.getByRole('link', { name: 'Make an organization' }).count()).toBe(0);
    await page.close();
  },
);

test.skipIf(!isChromiumThere)(
  'a person who forgot the password asks for a link on its page, and chooses a new one by it',
  { timeout: 60_000 },
  async () => {
    const { account } = await panel.world.tenant();
    const page = await browser.newPage();
    await page.goto(`${panel.panel.url}/account/forgot-password`);
    await page.getByLabel('E-mail').fill(account.email);
    const asked = await press(page, 'Mail me a link');
    expect(asked).toEqual([expect.stringContaining('is on its way'), false]);
    const token = await mailbox.token(account.email, /new password/);
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(`${panel.panel.url}/account/reset-password#token=${token}`);
    await page.getByLabel('New password').fill('x'.repeat(2_000));
    const [refused, isOpen] = await press(page, 'Set the password');
    expect([refused, isOpen]).toEqual([expect.stringMatching(/password/i), true]);
    await page.getByLabel('New password').fill(password);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('Done. Sign in with the new password.').waitFor();
    expect((await panel.world.login(account.email, password)).status).toBe(200);
    expect(complaints, 'the page does nothing that its own policy forbids').toEqual([]);
    await page.close();
  },
);

test.skipIf(!isChromiumThere)(
  'a link that does not work says so at once, and one that does is not used up by looking',
  { timeout: 60_000 },
  async () => {
    const { account } = await panel.world.tenant();
    await panel.world.rest('/api/auth/password/forgot', { body: { email: account.email } });
    const token = await mailbox.token(account.email, /new password/);
    const page = await browser.newPage();
    const open = async (hash: string) => page.goto(`${panel.panel.url}/account/reset-password${hash}`);
    await open('');
    expect(await saidAtOnce(page)).toEqual([expect.stringContaining('not whole'), false]);
    // The same tab: only the fragment changes.
    await open(`#token=${'x'.repeat(43)}`);
    await page.getByText('This link is not valid.').waitFor();
    expect(await waysOn(page)).toEqual(['/account/forgot-password']);
    for (const hash of [`#token=${token}`, `#again&token=${token}`]) {
      await open(hash);
      await page.getByLabel('New password').waitFor();
    }
    const chosen = { body: { token, new_password: password } };
    expect((await panel.world.rest('/api/auth/password/reset', chosen)).status).toBe(204);
    await page.reload();
    expect(await saidAtOnce(page)).toEqual([expect.stringContaining('was used before'), false]);
    await page.goto(`${panel.panel.url}/notifications/confirm-address`);
    expect(await saidAtOnce(page)).toEqual([expect.stringContaining('not whole'), false]);
    await page.close();
  },
);
