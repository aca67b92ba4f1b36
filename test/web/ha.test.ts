import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { startPatroniPanel } from '../hosting/support/patroni-panel.js';
import { StandInProcess } from '../hosting/support/stand-in-process.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { startTestPanel, testAdministrator, type TestPanel } from '../support/panel.js';
import { hasPatroni, PatroniCluster } from '../support/patroni.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { until } from '../support/world.js';
import { sharedBrowser } from './support/browser.js';
import { closeSeats, heading, nothingWrong, press, tabTo, visit } from './support/console.js';
import { wrongWith } from './support/fits.js';
import { passUntil } from './support/passing.js';

vi.setConfig({ testTimeout: 240_000 });

let browser: Browser;
beforeAll(async () => {
  if (isChromiumThere) browser = await sharedBrowser();
});

const line = (page: Page, list: string, text: string | RegExp) =>
  page.getByRole('list', { name: list }).getByRole('listitem').filter({ hasText: text }).first();

/** Presses a button that asks first, looks at what it asks, and goes on. */
async function confirm(page: Page, label: string): Promise<void> {
  await press(page, label);
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  expect(await wrongWith(page)).toEqual([]);
  await press(page, (await dialog.locator('.actions button').first().textContent())!);
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
    if (panel) await closeSeats(panel.panel.url);
    await panel?.stop();
    await redis?.[Symbol.asyncDispose]();
  });

  const at = async (work: (page: Page) => Promise<void>) =>
    visit(browser, panel.panel.url, { who: { account: testAdministrator }, path: '/ha', work });

  /** Leases, looks and upgrades go on as the panel's clock moves. */
  const seen = async (what: Locator) => passUntil(panel, what);

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
        await page.keyboard.insertText('2.0.0');
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

// In CI missing programs are a failure; elsewhere this is left out, which the report says.
describe.skipIf(!isChromiumThere || (!hasPatroni && !inCi))('a database kept by Patroni', () => {
  let cluster: PatroniCluster;
  let panel: TestPanel;
  beforeAll(async () => {
    cluster = await PatroniCluster.start();
    panel = await startPatroniPanel(cluster);
  }, 300_000);
  afterAll(async () => {
    if (panel) await closeSeats(panel.panel.url);
    await panel?.stop();
    await cluster?.[Symbol.asyncDispose]();
  }, 60_000);

  test('a server that is behind is refused with how far, and leads once it has caught up', async () => {
    expect(
      await visit(browser, panel.panel.url, {
        who: { account: testAdministrator },
        path: '/ha',
        work: async (page) => {
          await heading(page, 'High availability');
          const members = 'Servers of the database';
          await line(page, members, 'pg-1').getByText('Leader').waitFor({ timeout: 60_000 });
          await page.getByText('a failover may lose the last ones').waitFor();
          const button = page.getByRole('button', { name: 'Have pg-2 lead now' });
          const receiver = await cluster.receiverOf('pg-2');
          process.kill(receiver, 'SIGSTOP');
          try {
            await cluster.sql(
              `create table ballast (text text);
               insert into ballast select md5(random()::text) from generate_series(1, 60000)`,
              'pg-1',
            );
            await confirm(page, 'Have pg-2 lead now');
            await page
              .getByRole('alert')
              .filter({ hasText: /pg-2 is \d+ bytes behind/ })
              .waitFor({ timeout: 60_000 });
          } finally {
            process.kill(receiver, 'SIGCONT');
          }
          expect(await cluster.leader()).toBe('pg-1');
          await until(
            async () => {
              if ((await cluster.leader()) === 'pg-2') return true;
              // While it is under way nobody can ask for it.
              if (await button.isEnabled({ timeout: 1_000 }).catch(() => false))
                await confirm(page, 'Have pg-2 lead now').catch(async (error: unknown) => {
                  // The server that leads by now has no such button any more.
                  if ((await button.count()) > 0) throw error;
                });
              return false;
            },
            'the other to lead',
            90_000,
          );
          await passUntil(panel, line(page, members, 'pg-2').getByText('Leader'));
          await passUntil(panel, line(page, members, 'pg-1').getByText('Follower'));
          await passUntil(panel, page.getByText('pg-2 leads, on timeline 2'));
        },
      }),
    ).toEqual(nothingWrong);
  });
});
