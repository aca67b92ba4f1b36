import { describe, expect, test, vi } from 'vitest';

import { firing } from '../fleet/alerts/support/panel.js';
import { sent } from '../fleet/commands/support/commands.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, press, tabTo } from './support/console.js';
import { partAway } from './support/editing.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 120_000 });

const stage = useStage(async () => startTestPanel());
const { at, person } = stage;

describe.skipIf(!isChromiumThere)('a page that is left open', () => {
  test('of an instance shows what each beat measures and when it came, and what it was told to do', async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await tenant.node();
    await node.beat();
    expect(
      await at(tenant, `/instances/${node.id}`, async (page) => {
        const seen = page.locator('main > p time').first();
        const before = new Date((await seen.getAttribute('datetime'))!).getTime();
        await page.getByText('None was sent to it.').waitFor();
        await stage.panel.clock.advance(15_000);
        // Those that come before the page follows them are told to nobody.
        await expect
          .poll(
            async () => {
              await node.beat({ cpu_percent: 33, disk_percent: 44 });
              return page.getByText('CPU 33 %').count();
            },
            { interval: 1_000 },
          )
          .toBe(1);
        await page.getByText('disk 44 %').waitFor();
        const after = new Date((await seen.getAttribute('datetime'))!).getTime();
        expect(after - before).toBeGreaterThanOrEqual(15_000);
        await sent(tenant, [node]);
        await page.getByRole('region', { name: 'Commands' }).getByRole('link', { name: 'Restart' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('of alerts shows no silence that is over', async () => {
    const tenant = await stage.panel.world.tenant();
    await firing(stage.panel, tenant, 'busy-01');
    await stage.panel.clock.advance(Math.max(0, Date.now() - stage.panel.clock.now().getTime()));
    const endsAt = new Date(stage.panel.clock.now().getTime() + 15_000).toISOString();
    dataOf(
      await tenant.graphql('mutation($input: CreateSilenceInput!) { createSilence(input: $input) { id } }', {
        input: {
          matchers: [{ field: 'RULE', operator: 'EQUALS', value: 'CPU' }],
          endsAt,
          comment: 'For a moment',
        },
      }),
    );
    expect(
      await at(tenant, '/alerts', async (page) => {
        const alert = page.getByRole('list', { name: 'Alerts' }).getByRole('listitem');
        await alert.getByText('silenced until').waitFor();
        await page.getByText('For a moment').waitFor();
        await stage.panel.clock.advance(30_000);
        await page.getByText('None: channels are told of every alert.').waitFor({ timeout: 60_000 });
        await alert.getByText('silenced until').waitFor({ state: 'detached' });
        await alert.getByText('busy-01').waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('of the overview counts in its plan what the fleet has', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/', async (page) => {
        const used = page.getByRole('region', { name: 'Plan' }).locator('.meter', { hasText: 'Instances' });
        await used.getByText(/^0 of/).waitFor();
        await tenant.node();
        await used.getByText(/^1 of/).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('of instances asks for none while a part of the panel is away and nobody looks, and once somebody does', async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await tenant.node();
    expect(
      await at(tenant, '/commands', async (page) => {
        await partAway(page, 'InstanceList');
        await press(page, 'Instances');
        await page.getByRole('alert').filter({ hasText: 'can not be reached' }).waitFor();
        await page.evaluate(`Object.defineProperty(document, 'hidden', { value: true, configurable: true })`);
        let lists = 0;
        page.on('request', (request) => {
          if (request.postData()?.includes('query InstanceList')) lists += 1;
        });
        // An absence takes a while to be seen.
        await page.waitForTimeout(4_000);
        expect(lists).toBe(0);
        await page.unroute('**/graphql');
        await page.evaluate(`delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))`);
        await page.getByRole('row', { name: node.name }).waitFor();
        expect(lists).toBe(1);
      }),
    ).toEqual(nothingWrong);
  });

  test('offers what another role may do once the panel asks for a token of it', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/commands', async (page) => {
        const send = page.getByRole('link', { name: 'Send a command' });
        await send.waitFor();
        await tokenInRole(stage.panel, tenant, 'VIEWER');
        await stage.panel.clock.leap(16 * 60_000);
        await press(page, 'Overview');
        await heading(page, 'Overview');
        await press(page, 'Commands');
        await heading(page, 'Commands');
        await send.waitFor({ state: 'detached' });
      }),
    ).toEqual(nothingWrong);
  });

  test('tells of a payment that is overdue, wherever it is, and the billing what was used', async () => {
    const tenant = await stage.panel.world.tenant();
    const now = stage.panel.clock.now().getTime();
    for (const [days, used] of [
      [1, 3],
      [2, 5],
    ] as const)
      await stage.panel.sql(
        `insert into billing.usage_record (tenant_id, metric, hour, used) values ($1, 'instances', $2, $3)`,
        [tenant.id, new Date(now - days * 86_400_000), used],
      );
    expect(
      await at(tenant, '/members', async (page) => {
        const banner = page.getByRole('region', { name: 'A payment is overdue' });
        await page.getByRole('list').first().waitFor();
        expect(await banner.count()).toBe(0);
        await stage.panel.sql(
          `with overdue as (update billing.subscription set past_due_since = $2 where tenant_id = $1)
           insert into billing.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
           values ('evt_' || gen_random_uuid(), $1, 'billing.subscription.changed', $1, '{}', 'test', now())`,
          [tenant.id, new Date(now)],
        );
        await banner.filter({ hasText: 'Unless it is made, nothing can be added' }).waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await banner.getByRole('link', { name: 'See the billing' }).click();
        await page.getByText('4 on average, 5 at most').waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await stage.panel.sql(
          `with over as (update billing.subscription
             set past_due_since = $2, is_read_only = true, customer_id = $1 where tenant_id = $1)
           insert into billing.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
           values ('evt_' || gen_random_uuid(), $1, 'billing.subscription.changed', $1, '{}', 'test', now())`,
          [tenant.id, new Date(now - 30 * 86_400_000)],
        );
        await page.getByText('Nothing can be added until it is settled at the payment provider.').waitFor();
        expect(await page.getByText('before').count()).toBe(0);
        await page.getByRole('button', { name: 'Pay at the payment provider' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('of the account lists one session after another password ended the others', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/profile', async (page) => {
        const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
        await sessions.nth(1).waitFor();
        await tabTo(page, 'Password now', 120);
        await page.keyboard.insertText(tenant.account.password);
        await tabTo(page, 'New password');
        await page.keyboard.insertText('another horse battery');
        await page.keyboard.press('Enter');
        await page.getByText('Your other sessions have ended.').waitFor();
        await expect.poll(async () => sessions.count()).toBe(1);
        await sessions.getByText('This browser').waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

/** Invoices that were asked for a moment ago, of so much each. */
async function billed(tenant: Tenant, ...amounts: [amountDue: number, currency: string][]): Promise<void> {
  const { panel } = stage;
  await panel.sql(
    `insert into billing.subscription (tenant_id, customer_id) values ($1, $2)
     on conflict (tenant_id) do update set customer_id = excluded.customer_id`,
    [tenant.id, `cus_${tenant.id}`],
  );
  const invoices = amounts.map(([amountDue, currency], index) => ({
    id: `in_${index + 1}`,
    number: `QC-000${index + 1}`,
    date: '2026-04-01T00:30:00.000Z',
    periodStart: '2026-03-01T00:00:00.000Z',
    periodEnd: '2026-03-31T23:59:59.000Z',
    amountDue,
    currency,
    status: 'PAID',
    pdfUrl: null,
  }));
  await panel.sql('insert into billing.invoice_cache (tenant_id, fetched_at, invoices) values ($1, $2, $3)', [
    tenant.id,
    new Date(panel.clock.now().getTime() + 30 * 86_400_000),
    JSON.stringify(invoices),
  ]);
}

test.skipIf(!isChromiumThere)(
  'an amount is shown as it is charged, in currencies with hundredths, thousandths or neither',
  async () => {
    const tenant = await stage.panel.world.tenant();
    await billed(
      tenant,
      [4_900, 'usd'],
      [1_900_000, 'huf'],
      [680_000, 'isk'],
      [7_500, 'jpy'],
      [18_500, 'bhd'],
      [1_900_050, 'huf'],
    );
    await using dana = await person({ locale: 'en-US' });
    const page = await dana.signIn(tenant, '/billing');
    const rows = page.getByRole('region', { name: 'Invoices' }).getByRole('listitem');
    await rows.first().waitFor();
    const shown = (await rows.allTextContents()).map(
      (text) => /QC-\d+\s+(.*?)\s*Of Apr/.exec(text.replaceAll('\u00a0', ' '))?.[1],
    );
    expect(shown).toEqual(['$49.00', 'HUF 19,000', 'ISK 6,800', '¥7,500', 'BHD 18.500', 'HUF 19,000.5']);
    expect(dana.complaints).toEqual([]);
  },
);

test.skipIf(!isChromiumThere).each(['America/New_York', 'Europe/Berlin'])(
  'a day and the last day of a period are the same for who reads them in %s, and a moment says its zone',
  async (timezoneId) => {
    const tenant = await stage.panel.world.tenant();
    const day = new Date(stage.panel.clock.now().getTime() - 3 * 86_400_000).toISOString().slice(0, 10);
    await stage.panel.sql(
      `insert into governance.score_day (tenant_id, day, passed, known, applicable, violations, instances)
       values ($1, $2, 5, 10, 10, 5, 1)`,
      [tenant.id, day],
    );
    await billed(tenant, [4900, 'usd']);
    await using dana = await person({ timezoneId, locale: 'en-US' });
    const page = await dana.signIn(tenant, '/billing');
    await page.getByText('Of Apr 1, 2026, for Mar 1, 2026 to Mar 31, 2026').waitFor();
    await page.goto(`${stage.panel.panel.url}/governance/scores`);
    const words = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeZone: 'UTC' });
    await page.getByText(`50 on ${words.format(new Date(day))}`).waitFor();

    const endsAt = new Date(stage.panel.clock.now().getTime() + 36 * 3_600_000).toISOString();
    dataOf(
      await tenant.graphql('mutation($input: CreateSilenceInput!) { createSilence(input: $input) { id } }', {
        input: {
          matchers: [{ field: 'RULE', operator: 'EQUALS', value: 'CPU' }],
          endsAt,
          comment: 'Over the move',
        },
      }),
    );
    await page.goto(`${stage.panel.panel.url}/alerts`);
    const silence = page.getByRole('list', { name: 'Silences' });
    await silence.getByText('until in 36 hours').waitFor();
    await press(page, 'Owner');
    await choose(page, 'Times', 'Exact');
    const exact = new Intl.DateTimeFormat('en-US', {
      dateStyle: 'medium',
      timeStyle: 'long',
      timeZone: timezoneId,
    });
    await silence.getByText(`until ${exact.format(new Date(endsAt))}`).waitFor();
    await page.goto(`${stage.panel.panel.url}/audit`);
    await page
      .getByText(/(EST|EDT|GMT\+[12]), from /)
      .first()
      .waitFor();
    expect(dana.complaints).toEqual([]);
  },
);

test.skipIf(!isChromiumThere)('whoever may only look is offered nothing else', async () => {
  const tenant = await (await stage.panel.world.tenant()).grantPlan('PRO');
  await tokenInRole(stage.panel, tenant, 'VIEWER');
  await using vera = await person();
  const page = await vera.signIn(tenant, '/commands');
  await heading(page, 'Commands');
  const pages = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
  expect((await pages.allTextContents()).slice(0, 6)).toEqual([
    'Overview',
    'Instances',
    'Alerts',
    'Commands',
    'Policies',
    'Servers',
  ]);
  expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0);
  expect(await page.getByRole('link', { name: /Send/ }).count()).toBe(0);
  for (const path of [
    '/governance',
    '/governance/canaries',
    '/governance/gitops',
    '/kubernetes',
    '/servers',
  ]) {
    await page.goto(stage.panel.panel.url + path);
    const none = page.locator('main').getByText(/^(There (is|was) no|None is|Nobody is told)/);
    await none.first().waitFor();
    // Nothing that is offered stands beside the list.
    expect([path, await none.filter({ hasText: /below|above/ }).count()]).toEqual([path, 0]);
  }
});
