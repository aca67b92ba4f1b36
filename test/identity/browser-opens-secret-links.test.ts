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
    expect(done).toEqual(['Done. Sign in with this address and password.', false]);
    const signedIn = await new World(fresh.url, new TestClock()).login('root@example.com', password);
    expect(signedIn.status).toBe(200);

    await page.reload();
    await page.getByLabel('Your name').fill('Thief');
    await page.getByLabel('E-mail').fill('thief@example.com');
    await page.getByLabel('Password').fill(password);
    const again = await press(page, 'Make the administrator');
    expect(again).toEqual(['The set-up link is not valid, has ended, or was used', true]);
    await page.close();
    await fresh.stop();
    await database.drop();
  },
);

test.skipIf(!isChromiumThere)(
  'a person chooses a new password by a mailed link',
  { timeout: 60_000 },
  async () => {
    const { account } = await panel.world.tenant();
    await panel.world.rest('/api/auth/password/forgot', { body: { email: account.email } });
    const token = await mailbox.token(account.email, /new password/);
    const page = await browser.newPage();
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
