import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test, vi } from 'vitest';

import { client, provider } from '../identity/msp/support.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { enableTotp, nextCode } from '../identity/support/totp.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel, testAdministrator } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { faultsOf } from './support/axe.js';
import { choose, nothingWrong, press, tabTo } from './support/console.js';
import { fits, focusedFault, line, open, retype } from './support/editing.js';
import { brand, colorsOf } from './support/look.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 240_000 });

let mailbox: Mailbox;
afterAll(async () => mailbox?.[Symbol.asyncDispose]());
const stage = useStage(async () => {
  mailbox = await Mailbox.start();
  return startTestPanel({ SMTP_URL: mailbox.url });
});
const { at } = stage;

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe.skipIf(!isChromiumThere)('branding', () => {
  test('is looked at before it is saved, and says what is not well about it', async () => {
    const tenant = await provider(stage.panel);
    expect(
      await at(tenant, '/organization/branding', async (page) => {
        await retype(page, 'Name that is shown', 'CloudHost Pro');
        await retype(page, 'Colour', 'red');
        await press(page, 'Save');
        expect(await focusedFault(page)).toContain('Primary colour must be #rrggbb.');
        expect(await faultsOf(page)).toEqual([]);
        await retype(page, 'Colour', '#ffee00');
        const looks = page.getByRole('region', { name: 'How it looks' });
        await looks.getByText('CloudHost Pro').waitFor();
        // Black where white is hard to read.
        expect(await colorsOf(page, '.branding .button')).toEqual(['rgb(255, 238, 0)', 'rgb(0, 0, 0)']);
        await tabTo(page, 'E-mail for help', 120);
        await page.keyboard.insertText('help@cloudhost.pro');
        await press(page, 'Save');
        await looks.getByText(/has a contrast of 1\.2 to 1/).waitFor();
        await looks.getByText('Help: help@cloudhost.pro').waitFor();
        // The console has it at once.
        await brand(page, 'CloudHost Pro').waitFor();
        await expect.poll(async () => page.title()).toBe('Branding · CloudHost Pro');
        expect(await colorsOf(page, '.main')).toEqual(['rgb(255, 238, 0)', 'rgb(0, 0, 0)']);
        const saved = dataOf(
          await tenant.graphql('{ branding { companyName primaryColor supportEmail logoUrl } }'),
        );
        expect(saved).toEqual({
          branding: {
            companyName: 'CloudHost Pro',
            primaryColor: '#ffee00',
            supportEmail: 'help@cloudhost.pro',
            logoUrl: null,
          },
        });
        await stage.panel.sql(
          `update identity.branding set logo_sha256 = $2, logo_type = 'image/png', logo = $3 where tenant_id = $1`,
          [tenant.id, 'c'.repeat(64), png],
        );
        await page.reload();
        await page.getByRole('img', { name: 'The logo of CloudHost Pro' }).waitFor();
        for (const place of ['.branding img', '.brand img']) {
          const width = `document.querySelector('${place}')?.naturalWidth`;
          await expect.poll(async () => page.evaluate<number>(width)).toBe(1);
        }
        await fits(page);
      }),
    ).toEqual(nothingWrong);
  });

  test('is for plans that have it, and only looked at by whoever may not change it', async () => {
    const free = await stage.panel.world.tenant();
    expect(
      await at(free, '/organization/branding', async (page) => {
        await page.getByText('Your plan does not have this. An owner can change the plan.').waitFor();
        expect(await page.locator('main').getByRole('button').count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
    const tenant = await provider(stage.panel);
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await at(tenant, '/organization/branding', async (page) => {
        await page.getByRole('region', { name: 'How it looks' }).waitFor();
        expect(await page.locator('main').getByRole('button').count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('a person', () => {
  test('asks for another address, calls it off, and asks again: it counts once its link was opened', async () => {
    const tenant = await stage.panel.world.tenant();
    const wanted = `${crypto.randomUUID()}@example.com`;
    const ask = async (page: Page, password: string) => {
      await retype(page, 'New address', wanted);
      await retype(page, 'Password, for another address', password);
      await page.keyboard.press('Enter');
    };
    expect(
      await at(tenant, '/profile', async (page) => {
        await page.getByText(`${tenant.account.email}, not confirmed yet`).waitFor();
        await press(page, 'Mail the link again');
        await page.getByText('The link is on its way.').waitFor();
        await ask(page, 'not the password');
        expect(await focusedFault(page)).toContain('Current password is wrong.');
        await ask(page, tenant.account.password);
        await page.getByText(`Becomes ${wanted} once its link is opened.`).waitFor();
        await press(page, `Call it off: the change to ${wanted}`);
        await page.getByText('Your address stays as it is.').waitFor();
        await expect.poll(async () => page.getByText(`Becomes ${wanted}`).count()).toBe(0);
        await ask(page, tenant.account.password);
        await page.getByText(`Becomes ${wanted} once its link is opened.`).waitFor();
        // The link that was called off is good no more.
        await expect.poll(() => mailbox.mails.filter(({ to }) => to === wanted).length).toBe(2);
        const token = await mailbox.token(wanted, /address/i);
        dataOf(
          await stage.panel.world.graphql(
            'mutation($token: String!) { confirmEmailChange(input: { token: $token }) { email } }',
            { token },
          ),
        );
        await page.reload();
        await page.getByText(wanted, { exact: true }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('who has lost the second factor, or a device, is helped by an owner', async () => {
    const tenant = await (await stage.panel.world.tenant()).grantPlan('PRO');
    const vera = { email: `${crypto.randomUUID()}@example.com`, password: 'correct horse battery' };
    dataOf(
      await tenant.graphql(
        'mutation($email: String!) { inviteMember(input: { email: $email, role: VIEWER }) { id } }',
        { email: vera.email },
      ),
    );
    dataOf(
      await stage.panel.world.graphql(
        'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { user { id } } }',
        { input: { token: await mailbox.token(vera.email, /Join/), name: 'Vera', password: vera.password } },
      ),
    );
    await stage.panel.sql('update identity."user" set totp_confirmed_at = $1 where email = $2', [
      stage.panel.clock.now(),
      vera.email,
    ]);
    expect((await stage.panel.world.login(vera.email, vera.password)).body).toMatchObject({
      totp_required: true,
    });
    expect(
      await at(tenant, '/members', async (page) => {
        await press(page, 'Switch off the second factor of Vera');
        await tabTo(page, 'Your password');
        await page.keyboard.insertText('a guess');
        await page.keyboard.press('Enter');
        expect(await focusedFault(page)).toContain('Current password is wrong.');
        await retype(page, 'Your password', tenant.account.password);
        await page.keyboard.press('Enter');
        await page.getByText('No code is asked of Vera any more.').waitFor();
        await line(page, 'Vera').getByText('second factor off').waitFor();
        expect((await stage.panel.world.login(vera.email, vera.password)).status).toBe(200);
        await press(page, 'End sessions of Vera', 'End sessions');
        await page.getByText('The sessions of Vera have ended.').waitFor();
        await mailbox.receive(vera.email, /sessions were ended/);
      }),
    ).toEqual(nothingWrong);
  });

  test('signs out everywhere else, sees how many recovery codes are left, and makes new ones', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/profile', async (page) => {
        await page.getByText('It is off').waitFor();
        const { secret } = await enableTotp(stage.panel, tenant);
        await page.reload();
        await page.getByText('10 recovery codes are left.').waitFor();
        await press(page, 'Sign out everywhere else', 'Sign out everywhere else');
        await page.getByText('Your other sessions have ended.').waitFor();
        expect((await tenant.rest('/api/auth/me')).status).toBe(401);
        await press(page, 'Make new recovery codes');
        await tabTo(page, 'Your password');
        await page.keyboard.insertText(tenant.account.password);
        await tabTo(page, 'Code');
        await page.keyboard.type(await nextCode(stage.panel, secret));
        await page.keyboard.press('Enter');
        await page.getByText('The new codes stand above. They are shown this once.').waitFor();
        expect(await page.locator('code', { hasText: /^(\w{4}-\w{4}-\w{4}-\w{4} ?){10}$/ }).count()).toBe(1);
        expect(await faultsOf(page)).toEqual([]);
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('an organization that has another name', () => {
  test('is renamed among its members, and is called so on every page at once', async () => {
    const tenant = await stage.panel.world.tenant('Acme Corp');
    expect(
      await at(tenant, '/members', async (page) => {
        await retype(page, 'Name of the organization', 'Acme Ltd');
        await page.keyboard.press('Enter');
        await page.getByText('The organization has another name.').waitFor();
        await page.locator('.account summary').press('Enter');
        await page.getByText('Owner of Acme Ltd').waitFor();
        expect(await faultsOf(page)).toEqual([]);
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('an organization of the panel', () => {
  test('is found by who runs the panel, granted a plan, suspended and restored; nobody else is led there', async () => {
    const tenant = await stage.panel.world.tenant();
    const { name } = tenant.user.tenant;
    const mayIn = async () =>
      (await stage.panel.world.login(tenant.account.email, tenant.account.password)).status;
    expect(
      await at({ account: testAdministrator }, '/tenants', async (page) => {
        await tabTo(page, "Name, owner's e-mail or id", 120);
        await page.keyboard.insertText(tenant.account.email);
        const row = line(page, tenant.account.email);
        const found = page.getByRole('list', { name: 'Organizations' }).getByRole('listitem');
        await expect.poll(async () => found.count()).toBe(1);
        await row.getByText('Free').waitFor();
        await fits(page);
        await open(page, `Grant a plan to ${name}`, `A plan for ${name}`);
        await choose(page, 'Plan', 'Pro');
        await press(page, 'Grant it');
        await row.getByText('Pro', { exact: false }).first().waitFor();
        await page.getByText(`${name} has another plan.`).waitFor();
        await press(page, `Suspend ${name}`, 'Suspend');
        await row.getByText('Suspended', { exact: true }).waitFor();
        expect(await mayIn()).not.toBe(200);
        await press(page, `Restore ${name}`);
        await row.getByText('Active', { exact: true }).waitFor();
        expect(await mayIn()).toBe(200);
        await open(page, `Close ${name}`, `Close ${name}?`);
        await page.getByLabel('Your password').fill(testAdministrator.password);
        await press(page, 'Close it');
        await row.getByText(/All of it is erased .* unless it is restored/).waitFor();
        await press(page, `Restore ${name}`);
        await row.getByText('Active', { exact: true }).waitFor();
        const parent = await provider(stage.panel);
        const acme = await client(stage.panel, mailbox, parent);
        await parent.rest(`/api/msp/clients/${acme.id}/suspend`, { method: 'POST' });
        const { email, password } = acme.account;
        await expect
          .poll(async () => (await stage.panel.world.login(email, password)).status, { timeout: 20_000 })
          .toBe(401);
        await retype(page, "Name, owner's e-mail or id", acme.account.email);
        const theirs = line(page, acme.account.email);
        await theirs.getByText('Its provider decides on its plan.').waitFor();
        await theirs.getByText(/suspended .* by its provider/).waitFor();
        await press(page, 'Suspend Acme Corp', 'Suspend');
        await theirs.getByRole('button', { name: 'Restore Acme Corp' }).waitFor();
        await press(page, 'Restore Acme Corp');
        await page.getByText('Acme Corp stays suspended by its provider.').waitFor();
        await theirs.getByRole('button', { name: 'Suspend Acme Corp' }).waitFor();
        await retype(page, "Name, owner's e-mail or id", tenant.account.email);
        await row.waitFor();
        await retype(page, 'Name of the organization', 'Made Ltd');
        await retype(page, 'E-mail of its owner', 'owner@made.example');
        await press(page, 'Make the organization');
        await page.getByText('The organization is made, and its owner is invited.').waitFor();
        await mailbox.token('owner@made.example', /Join Made Ltd/);
        await stage.panel.sql('update identity."user" set totp_confirmed_at = $1 where email = $2', [
          stage.panel.clock.now(),
          tenant.account.email,
        ]);
        await open(page, `Reset a second factor at ${name}`, `An owner's second factor at ${name}`);
        await choose(page, 'Owner', tenant.account.email);
        await retype(page, 'Your password', testAdministrator.password);
        await press(page, 'Switch it off');
        await page.getByText('No code is asked of that owner any more.').waitFor();
        const { body } = await stage.panel.world.login(tenant.account.email, tenant.account.password);
        expect(body).not.toMatchObject({ totp_required: true });
        await press(page, `End a grant of a plan to ${name}`, 'End a grant');
        await page.getByText(`${name} has what it subscribes to.`).waitFor();
        await expect
          .poll(async () => stage.panel.sql('select plan from identity.tenant where id = $1', [tenant.id]))
          .toEqual([{ plan: 'FREE' }]);
      }),
    ).toEqual(nothingWrong);
    expect(
      await at(tenant, '/tenants', async (page) => {
        await page.getByText('This page is for whoever runs the panel.').waitFor();
        expect(await page.locator('a[href="/tenants"]').count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});
