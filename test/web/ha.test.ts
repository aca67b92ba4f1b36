import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { StandInProcess } from '../hosting/support/stand-in-process.js';
import { isChromiumThere, launchChromium } from '../identity/support/chromium.js';
import { startTestPanel, testAdministrator, type TestPanel } from '../support/panel.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { until } from '../support/world.js';
import { nothingWrong, press, tabTo, visit } from './support/console.js';
import { wrongWith } from './support/fits.js';

vi.setConfig({ testTimeout: 240_000 });

let browser: Browser;
beforeAll(async () => {
  if (isChromiumThere) browser = await launchChromium();
});
afterAll(async () => browser?.close());

const line = (page: Page, list: string, text: string | RegExp) =>
  page.getByRole('list', { name: list }).getByRole('listitem').filter({ hasText: text }).first();

/** Presses a button that asks first, looks at what it asks, and goes on. */
async function confirm(page: Page, label: string): Promise<void> {
  await press(page, label);
  await page.getByRole('dialog').waitFor();
  expect(await wrongWith(page)).toEqual([]);
  await page.keyboard.press('Enter');
}

const inCi = process.env['CI'] !== undefined;

describe.skipIf(!isChromiumThere || (!hasRedis && !inCi))('several processes', () => {
  let redis: TestRedis;
  let panel: TestPanel;
  beforeAll(async () => {
    redis = await TestRedis.start();
    panel = await startTestPanel({ NODE_NAME: 'one', REDIS_URL: redis.url, PANEL_VERSION: '2.0.0' });
  }, 180_000);
  afterAll(async () => {
    await panel?.stop();
    await redis?.[Symbol.asyncDispose]();
  });

  const at = async (work: (page: Page) => Promise<void>) =>
    visit(browser, panel.panel.url, { who: { account: testAdministrator }, path: '/ha', work });

  /** Leases, looks and upgrades go on as the panel's clock moves. */
  const seen = async (what: Locator) =>
    until(
      async () => {
        await panel.clock.advance(1_000);
        return what.isVisible();
      },
      String(what),
      90_000,
    );

  test('another process is seen to come, is had to lead, and is missed when it goes', async () => {
    expect(
      await at(async (page) => {
        await seen(line(page, 'Processes', 'one').getByText('Leader'));
        const two = await panel.another({ NODE_NAME: 'two' });
        await seen(line(page, 'Processes', 'two').getByText('Follower'));
        await confirm(page, 'Have two lead now');
        await seen(page.getByText('2 processes, two leads'));
        await seen(line(page, 'Processes', 'two').getByText('Leader'));
        await seen(line(page, 'Who has led', 'one → two'));
        expect(await wrongWith(page)).toEqual([]);
        await two.stop();
        await seen(page.getByText('1 process, one leads'));
        await seen(line(page, 'Who has led', /→ one/));
      }),
    ).toEqual(nothingWrong);
  });

  test('an upgrade goes step by step before the eyes, is paused with its reason, goes on, and is called off', async () => {
    await panel.sql(`update platform.process set started_at = now() - interval '1 hour'`);
    const a1 = await StandInProcess.comes(panel, 'a/1');
    const b1 = await StandInProcess.comes(panel, 'b/1');
    const upgrade = (page: Page, text: RegExp) => line(page, 'Upgrades', text);
    expect(
      await at(async (page) => {
        await seen(line(page, 'Processes', /a Follower, version 1\.0\.0/));
        await press(page, 'Upgrade all processes');
        await tabTo(page, 'To version');
        await page.keyboard.type('2.0.0');
        await confirm(page, 'Begin the upgrade to 2.0.0');
        await seen(upgrade(page, /Draining a, from version 1\.0\.0/));
        expect(await a1.told()).toBe('restart');
        await a1.dies();
        const a2 = await StandInProcess.comes(panel, 'a/2', { version: '1.9.0' });
        await seen(upgrade(page, /^Paused.*a came back as version 1\.9\.0/));
        expect(await wrongWith(page)).toEqual([]);
        await press(page, 'Go on with the upgrade to 2.0.0');
        await seen(upgrade(page, /^Running.*Draining a/));
        await a2.dies();
        const a3 = await StandInProcess.comes(panel, 'a/3', { version: '2.0.0' });
        await seen(upgrade(page, /Healthy a, from version 1\.0\.0.*Draining b/));
        await confirm(page, 'Call off the upgrade to 2.0.0');
        await seen(upgrade(page, /^Cancelled/));
        await page.getByText('Upgrade all processes').waitFor();
        for (const each of [a3, b1]) await each[Symbol.asyncDispose]();
      }),
    ).toEqual(nothingWrong);
  });
});
