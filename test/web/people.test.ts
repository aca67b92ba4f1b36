import { readFileSync } from 'node:fs';

import { afterAll, describe, expect, test, vi } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { client, provider } from '../identity/msp/support.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { codeAt, nextCode } from '../identity/support/totp.js';
import { startTestPanel, testAdministrator } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, press, signInAt, tabTo } from './support/console.js';
import { focusedFault, open, retype, savedBy } from './support/editing.js';
import { narrowed } from './support/fits.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 120_000 });

let mailbox: Mailbox;
afterAll(async () => mailbox?.[Symbol.asyncDispose]());
const stage = useStage(async () => {
  mailbox = await Mailbox.start();
  return startTestPanel({ SMTP_URL: mailbox.url });
});
const { at, person } = stage;

const newPassword = 'another horse battery';

describe.skipIf(!isChromiumThere)('an account', () => {
  test('whoever forgot the password comes from the sign-in to a new one, and back into the console', async () => {
    const { account } = await stage.panel.world.tenant();
    await using dana = await person();
    const page = await dana.open('/alerts');
    await press(page, 'Forgot your password?');
    await page.getByLabel('E-mail').fill(account.email);
    await page.keyboard.press('Enter');
    await page.getByText('is on its way').waitFor();
    const token = await mailbox.token(account.email, /new password/);
    await page.goto(`${stage.panel.panel.url}/account/reset-password#token=${token}`);
    await page.getByLabel('New password').fill(newPassword);
    await page.keyboard.press('Enter');
    await page.getByText('Done. Sign in with the new password.').waitFor();
    await page.getByRole('link', { name: 'Sign in' }).press('Enter');
    await page.getByLabel('E-mail').fill(account.email);
    await page.getByLabel('Password').fill(newPassword);
    await page.keyboard.press('Enter');
    await heading(page, 'Overview');
    expect([dana.complaints, dana.strangers]).toEqual([[], []]);
  });

  test('the second factor is turned on by its first code, asked for at the next sign-in, and turned off', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/profile', async (page) => {
        await page.getByText('It is off').waitFor();
        await page.locator('section', { hasText: 'Second factor' }).getByLabel('Your password').focus();
        await page.keyboard.insertText(tenant.account.password);
        await page.keyboard.press('Enter');
        const secret = (await page
          .locator('p', { hasText: /^Secret: / })
          .locator('code')
          .textContent())!;
        expect(await faultsOf(page)).toEqual([]);
        await tabTo(page, 'Code');
        await page.keyboard.type(codeAt(stage.panel, secret));
        await page.keyboard.press('Enter');
        await page.getByText('It is on').waitFor();

        await using elsewhere = await person();
        const other = await elsewhere.open('/profile');
        await signInAt(other, tenant);
        await heading(other, 'Second factor');
        await other.getByLabel('Code').fill(await nextCode(stage.panel, secret));
        await other.keyboard.press('Enter');
        await heading(other, 'Your account');
        // A sign-in at another browser is seen, and ended.
        await page.reload();
        await page
          .getByRole('button', { name: /^End it: the session of / })
          .first()
          .press('Enter');
        await page.getByText('The session has ended.').waitFor();
        await tabTo(page, 'Your password');
        await page.keyboard.insertText(tenant.account.password);
        await tabTo(page, 'Code');
        await page.keyboard.type(await nextCode(stage.panel, secret));
        await page.keyboard.press('Enter');
        await page.getByText('It is off').waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('an organization', () => {
  test('somebody is invited, joins by the mailed link, signs in, and is given another role', async () => {
    const tenant = await (await stage.panel.world.tenant()).grantPlan('PRO');
    const account = { email: `${crypto.randomUUID()}@example.com`, password: newPassword };
    expect(
      await at(tenant, '/members', async (page) => {
        await tabTo(page, 'E-mail');
        await page.keyboard.insertText(account.email);
        await choose(page, 'Role', 'Viewer: looks only');
        await press(page, 'Send the invitation');
        await page.getByRole('listitem').filter({ hasText: account.email }).waitFor();
        await using vera = await person();
        const token = await mailbox.token(account.email, /Join/);
        const joining = await vera.open(`/account/accept-invitation#token=${token}`);
        await joining.getByLabel('Your name').fill('Vera');
        await joining.getByLabel('Password').fill(account.password);
        await joining.keyboard.press('Enter');
        await joining.getByText('Done.').waitFor();
        await joining.close();
        const there = await vera.signIn({ account }, '/members');
        await heading(there, 'Members');
        expect(await there.getByText('Invite someone').count()).toBe(0);
        await page.reload();
        await press(page, 'Change the role of Vera');
        await choose(page, 'Role', 'Operator: the fleet');
        await page.getByRole('button', { name: 'Change the role of Vera' }).press('Enter');
        await page.getByText('Vera has another role.').waitFor();
        await page.getByText('Operator, second factor off').waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('a key is made with chosen permissions, shown once, works, and is revoked', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/api-keys', async (page) => {
        await tabTo(page, 'Name of the key');
        await page.keyboard.insertText('backups');
        await press(page, /^What it may do/);
        await tabTo(page, 'fleet.instance.read', 120);
        await page.keyboard.press('Space');
        await tabTo(page, 'Your password', 200);
        await page.keyboard.insertText(tenant.account.password);
        await page.keyboard.press('Enter');
        const key = await page.getByLabel('Key', { exact: true }).inputValue();
        const read = async () => stage.panel.world.rest('/api/fleet/instances', { token: key });
        expect((await read()).status).toBe(200);
        await press(page, 'Revoke backups', 'Revoke');
        await page.getByText('backups is revoked.').waitFor();
        await expect.poll(async () => (await read()).status).toBe(401);
        await page.goto(`${stage.panel.panel.url}/audit?action=createApiKey`);
        await page.getByRole('listitem').filter({ hasText: 'createApiKey' }).waitFor();
        expect(await page.getByRole('listitem').filter({ hasText: 'revokeApiKey' }).count()).toBe(0);
        await press(page, 'Verify the trail');
        await page.getByText(/Intact: \d+ entries/).waitFor();
        // All of it, however the page is narrowed.
        const saved = await savedBy(page, 'Save as CSV: the whole trail', 'audit.csv');
        expect(saved).toMatch(/createApiKey[^]*revokeApiKey/);
      }),
    ).toEqual(nothingWrong);
  });

  test('a provider acts in a client under its grant, which is said on every page until it stops', async () => {
    const parent = await provider(stage.panel);
    const acme = await client(stage.panel, mailbox, parent);
    await acme.node('theirs-01');
    expect(
      await at(acme, '/members', async (page) => {
        await press(page, 'Let the provider act in your organization');
        await choose(page, 'At most as', 'Operator: the fleet');
        await press(page, 'Grant access');
        await page.getByText('As operator until').waitFor();
      }),
    ).toEqual(nothingWrong);
    expect(
      await at(parent, '/clients', async (page) => {
        const row = page.getByRole('listitem').filter({ hasText: 'Acme Corp' });
        await row.getByText('You may act in it as operator').waitFor();
        await press(page, 'Act in Acme Corp');
        const said = page
          .getByRole('region', { name: 'Acting for a client' })
          .filter({ hasText: 'You act in Acme Corp' });
        await said.waitFor();
        const asked: string[] = [];
        page.on('request', (request) => {
          if (request.postData()?.includes('mutation ActInTenant')) asked.push(request.url());
        });
        await page.goto(`${stage.panel.panel.url}/instances`);
        await page.getByRole('row', { name: /theirs-01/ }).waitFor();
        await said.waitFor();
        // However much a page asks for: each is an entry in both trails.
        expect(asked).toHaveLength(1);
        expect(await faultsOf(page)).toEqual([]);
        await press(page, 'Stop acting');
        await heading(page, 'Clients');
        expect(await said.count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });

  test('the access that a provider has is seen and ended after any number that have ended', async () => {
    const parent = await provider(stage.panel);
    const acme = await client(stage.panel, mailbox, parent);
    await stage.panel.sql(
      `insert into identity.delegation (tenant_id, id, provider_id, role, granted_by, granted_at, expires_at)
       select $1, 'dlg_' || lpad(n::text, 26, '0'), $2, 'VIEWER', $3, $4::timestamptz - interval '2 days', $4::timestamptz - interval '1 day'
       from generate_series(1, 60) n`,
      [acme.id, parent.id, acme.user.id, stage.panel.clock.now().toISOString()],
    );
    expect(
      await at(acme, '/members', async (page) => {
        const access = page.getByRole('list', { name: 'Access of the provider' }).getByRole('listitem');
        await expect.poll(async () => access.count()).toBe(50);
        await press(page, 'Let the provider act in your organization');
        await choose(page, 'At most as', 'Operator: the fleet');
        await press(page, 'Grant access');
        await access.first().getByText('As operator until').waitFor();
        await press(page, 'End it: the access as operator');
        await page.getByText('The access has ended.').waitFor();
        await page.getByRole('button', { name: /^End it/ }).waitFor({ state: 'detached' });
      }),
    ).toEqual(nothingWrong);
  });

  test('whoever may only look is offered nothing else', async () => {
    const tenant = await stage.panel.world.tenant();
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
  });

  test('a partner registers, and an administrator decides, and on its commission', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/partners', async (page) => {
        await tabTo(page, 'Name of the partner');
        await page.keyboard.insertText('Nordic Partners');
        await tabTo(page, 'E-mail to write to');
        await page.keyboard.insertText('partner@example.com');
        await page.keyboard.press('Enter');
        const own = page.getByRole('listitem').filter({ hasText: 'Nordic Partners' });
        await own.getByText('Pending').waitFor();
        await at({ account: testAdministrator }, '/partners', async (office) => {
          await choose(office, 'State', 'Rejected');
          await office.getByText('None is like this.').waitFor();
          await choose(office, 'State', 'Any');
          await open(office, 'Approve Nordic Partners', 'Approve Nordic Partners');
          await retype(office, 'Commission, in percent', '20');
          await office.keyboard.press('Enter');
          await office.getByText('Nordic Partners is approved.').waitFor();
          await office.getByText('commission 20 %').waitFor();
          await press(office, 'Change the commission of Nordic Partners');
          await retype(office, 'Commission, in percent', '15');
          await office.keyboard.press('Enter');
          await office.getByText('commission 15 %').waitFor();
          await press(office, 'Suspend Nordic Partners', 'Suspend');
          await office.getByText('Nordic Partners is suspended.').waitFor();
          await press(office, 'Approve Nordic Partners', 'Approve');
          await office.getByRole('button', { name: 'Suspend Nordic Partners' }).waitFor();
          await office.getByText('commission 15 %').waitFor();
        });
        await own.getByText('Approved').waitFor();
        await press(page, 'Nordic Partners');
        await heading(page, 'Nordic Partners');
        await retype(page, 'E-mail to write to', 'nobody@nowhere');
        await press(page, 'Change it');
        expect(await focusedFault(page)).toMatch(/e-?mail/i);
        await retype(page, 'E-mail to write to', 'office@example.com');
        await press(page, 'Change it');
        await page.locator('dd', { hasText: 'office@example.com' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('the panel itself', () => {
  test('shows an administrator how it stands, and is upgraded; nobody else is led there', async () => {
    const { version } = JSON.parse(readFileSync(assetPath('package.json'), 'utf8')) as { version: string };
    const ways = 'a[href="/ha"]';
    expect(
      await at({ account: testAdministrator }, '/ha', async (page) => {
        await heading(page, 'High availability');
        expect(await page.locator(ways).count()).toBe(1);
        await page.getByText('It stands alone: one process and one server of the database.').waitFor();
        const processes = page.getByRole('list', { name: 'Processes' }).getByRole('listitem');
        await processes.filter({ hasText: `Leader, version ${version}` }).waitFor();
        expect(await page.getByRole('button', { name: /^Have / }).count()).toBe(0);
        await press(page, 'Upgrade all processes');
        await tabTo(page, 'To version');
        await page.keyboard.insertText(version);
        await press(page, `Begin the upgrade to ${version}`, 'Begin');
        await page
          .getByRole('list', { name: 'Upgrades' })
          .getByRole('listitem')
          .filter({ hasText: 'Succeeded' })
          .first()
          .waitFor();
        expect(await narrowed(page)).toBe(360);
      }),
    ).toEqual(nothingWrong);
    await using dana = await person();
    const page = await dana.signIn(await stage.panel.world.tenant(), '/ha');
    await page.getByText('This page is for whoever runs the panel.').waitFor();
    expect(await page.locator(ways).count()).toBe(0);
  });
});
