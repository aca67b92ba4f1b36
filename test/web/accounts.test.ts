import { describe, expect, test, vi } from 'vitest';

import { partner } from '../billing/support/partner-money.js';
import { decide } from '../billing/support/partners.js';
import { client, provider, type ClientBody } from '../identity/msp/support.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { emailOf, member } from '../identity/support/member.js';
import { dataOf } from '../support/answers.js';
import { testAdministrator } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { until } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, press, signInAt, tabTo } from './support/console.js';
import { answerLost, retype, savedBy, unanswered } from './support/editing.js';
import { wrongWith } from './support/fits.js';
import { brand, colorsOf } from './support/look.js';
import { useStage } from './support/stage.js';
import { startWholePanel } from './support/whole-panel.js';

vi.setConfig({ testTimeout: 180_000 });

const stage = useStage(async () => startWholePanel());
const { at } = stage;

describe.skipIf(!isChromiumThere)('one client', () => {
  test("has its console in the look of its provider, until that one's plan ends; the sign-in is the panel's own", async () => {
    const parent = await provider(stage.panel);
    const acme = await client(stage.panel, stage.panel.mailbox, parent);
    const look = { company_name: 'CloudHost Pro', primary_color: '#102030' };
    await parent.rest('/api/msp/branding', { method: 'PUT', body: look });
    expect(
      await at(acme, '/instances', async (page) => {
        await brand(page, 'CloudHost Pro').waitFor();
        expect(await page.title()).toMatch(/ · CloudHost Pro$/);
        const current = '.bar [aria-current=page]';
        expect(await colorsOf(page, current)).toEqual(['rgb(16, 32, 48)', 'rgb(255, 255, 255)']);
        expect(await faultsOf(page)).toEqual([]);
        await press(page, 'Client Owner');
        await press(page, 'Sign out');
        await heading(page, 'Sign in');
        expect(await page.title()).toBe('Sign in · Quazzar Control Panel');
        expect(await colorsOf(page, '.main')).toEqual(['rgb(29, 78, 216)', 'rgb(255, 255, 255)']);
        await signInAt(page, acme);
        await brand(page, 'CloudHost Pro').waitFor();
        await stage.panel.sql(`update identity.entitlement set features = '{}' where tenant_id = $1`, [
          parent.id,
        ]);
        await page.reload();
        await brand(page, 'Quazzar').waitFor();
        expect(await page.title()).toMatch(/ · Quazzar Control Panel$/);
      }),
    ).toEqual(nothingWrong);
  });

  test('shows what it has and whom it lets in, and is changed, suspended, deleted and restored', async () => {
    const parent = await provider(stage.panel);
    const acme = await client(stage.panel, stage.panel.mailbox, parent);
    await acme.node('theirs-01');
    dataOf(
      await acme.graphql(
        'mutation ($input: GrantDelegationInput!) { grantDelegation(input: $input) { id } }',
        {
          input: { role: 'OPERATOR', expiresInHours: 2, reason: 'the yearly check' },
        },
      ),
    );
    expect(
      await at(parent, '/clients', async (page) => {
        await choose(page, 'Which', 'Suspended');
        await page.getByText('None is like this.').waitFor();
        await choose(page, 'Which', 'Active');
        await press(page, 'Acme Corp');
        await heading(page, 'Acme Corp');
        // Who comes back finds what was chosen, and so does whoever is sent the address.
        await page.goBack();
        await page.getByRole('link', { name: 'Acme Corp' }).waitFor();
        expect(await page.getByLabel('Which').inputValue()).toBe('active');
        await retype(page, 'Name or contact', 'nobody');
        await page.waitForURL((url) => url.search === '?kind=active&q=nobody');
        await page.reload();
        await page.getByText('None is like this.').waitFor();
        await retype(page, 'Name or contact', 'acme');
        await press(page, 'Acme Corp');
        await heading(page, 'Acme Corp');
        expect(page.url()).toBe(`${stage.panel.panel.url}/clients/${acme.id}`);
        const access = page.getByRole('list', { name: 'Access' }).getByRole('listitem');
        await access.filter({ hasText: 'the yearly check' }).getByText('Operator').waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await tabTo(page, 'Name of the client', 120);
        await page.keyboard.insertText('Acme Ltd');
        await choose(page, 'Plan', 'Enterprise');
        await retype(page, 'Instances, at most', '7');
        await press(page, 'Change it');
        await heading(page, 'Acme Ltd');
        await page.getByText('of 7').waitFor();
        await press(page, 'Suspend Acme Ltd', 'Suspend');
        await page.locator('main').getByText('Suspended', { exact: true }).waitFor();
        await press(page, 'Restore Acme Ltd');
        await page.locator('main').getByText('Active', { exact: true }).waitFor();
        await press(page, 'Delete Acme Ltd');
        await page.getByRole('dialog').waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await press(page, 'Delete');
        await page.getByText('All of it is erased').waitFor();
        expect(await page.getByLabel('Name of the client').count()).toBe(0);
        await press(page, 'Restore Acme Ltd');
        await page.getByText('Acme Ltd is restored.').waitFor();
      }),
    ).toEqual(nothingWrong);
    const other = await provider(stage.panel);
    expect(
      await at(other, `/clients/${acme.id}`, async (page) => heading(page, 'There is no such page')),
    ).toEqual(nothingWrong);
  });

  test('whose invitation was lost is invited again, by a link that takes the place of the first', async () => {
    const parent = await provider(stage.panel);
    const { mailbox, world } = stage.panel;
    const contact = `late.${parent.id}@client.example`;
    const made = await parent.rest<ClientBody>('/api/msp/clients', {
      body: { name: 'Late Corp', contact_email: contact, instance_limit: 5, plan: 'pro' },
    });
    const first = await mailbox.token(contact, /Join/);
    expect(
      await at(parent, `/clients/${made.body.id}`, async (page) => {
        await press(page, `Invite again: ${contact} to Late Corp`, 'Invite again');
        await page.getByText(`${contact} is invited again, unless somebody has joined.`).waitFor();
      }),
    ).toEqual(nothingWrong);
    const join = async (token: string) =>
      world.graphql(
        'mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { user { id } } }',
        { input: { token, name: 'Lee', password: 'correct horse battery' } },
      );
    expect((await join(first)).errors).toHaveLength(1);
    dataOf(await join(await mailbox.token(contact, /Join/)));
  });

  test('that was erased is listed with what it had, to be saved', async () => {
    const parent = await provider(stage.panel);
    const gone = await client(stage.panel, stage.panel.mailbox, parent);
    const deleted = await parent.rest(`/api/msp/clients/${gone.id}`, { method: 'DELETE' });
    expect(deleted.status).toBe(204);
    await until(async () => (await gone.rest('/api/fleet/instances')).status === 401, 'the suspension');
    await stage.panel.sql(
      `update identity.msp_client set erase_at = now() - interval '1 day' where id = $1`,
      [gone.id],
    );
    await until(async () => {
      await stage.panel.clock.leap(61_000);
      const done = await stage.panel.sql(
        'select 1 from identity.tenant_erasure where client_id = $1 and completed_at is not null',
        [gone.id],
      );
      return done.length > 0;
    }, 'the erasure to be complete');
    expect(
      await at(parent, '/clients', async (page) => {
        const erased = page.getByRole('list', { name: 'Erased clients' }).getByRole('listitem');
        await erased.getByText('kept for 30 days').waitFor();
        const saved = await savedBy(page, 'Save what it had: Acme Corp', `${gone.id}.ndjson`);
        expect(saved).toContain('"table"');
      }),
    ).toEqual(nothingWrong);
  });

  test('keeps what one change has nothing to do with: a contact that was put right is not undone', async () => {
    const parent = await provider(stage.panel);
    const [wrong, right] = [`wrong.${parent.id}@client.example`, `right.${parent.id}@client.example`];
    const made = await parent.rest<ClientBody>('/api/msp/clients', {
      body: { name: 'Beta Corp', contact_email: wrong, instance_limit: 5, plan: 'pro' },
    });
    const { mailbox } = stage.panel;
    const sentTo = (address: string) => mailbox.mails.filter(({ to }) => to === address).length;
    await mailbox.receive(wrong, /Join/);
    expect(
      await at(parent, `/clients/${made.body.id}`, async (page) => {
        const shown = async (name: string, value: string) => {
          await expect.poll(async () => page.getByLabel(name, { exact: true }).inputValue()).toBe(value);
        };
        await retype(page, 'E-mail of its contact', right);
        await press(page, 'Change it');
        await page.locator('dd', { hasText: right }).waitFor();
        await shown('E-mail of its contact', right);
        await mailbox.receive(right, /Join/);
        await retype(page, 'Instances, at most', '7');
        await press(page, 'Change it');
        await page.getByText('of 7').waitFor();
        await shown('Instances, at most', '7');
        // Somebody else changes it, which this page is not told of.
        dataOf(
          await parent.graphql(
            `mutation ($id: ID!) { updateMspClient(id: $id, input: { name: "Beta Ltd", instanceLimit: 9 }) { id } }`,
            { id: made.body.id },
          ),
        );
        await choose(page, 'Plan', 'Enterprise');
        await press(page, 'Change it');
        await heading(page, 'Beta Ltd');
        await page.locator('dd', { hasText: 'Enterprise' }).waitFor();
        await page.getByText('of 9').waitFor();
        await shown('Name of the client', 'Beta Ltd');
        await shown('Instances, at most', '9');
      }),
    ).toEqual(nothingWrong);
    expect([sentTo(wrong), sentTo(right)]).toEqual([1, 1]);
  });
});

describe.skipIf(!isChromiumThere)('a change whose answer was lost', () => {
  test('is said to be done or not, and to be looked for before it is done again', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/partners', async (page) => {
        await retype(page, 'Name of the partner', 'Once Corp');
        await retype(page, 'E-mail to write to', 'once@partner.example');
        await answerLost(page, 'RegisterPartner');
        await page.keyboard.press('Enter');
        // The list hears of it, and what was said is not taken away by that.
        await page.getByRole('listitem').filter({ hasText: 'Once Corp' }).waitFor();
        await page.getByRole('alert').filter({ hasText: 'it may be done or not. Look before' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('what clients grant', () => {
  test('is seen as it is made and ended, by operators too, and what can not be read is not called no access', async () => {
    const parent = await provider(stage.panel);
    const acme = await client(stage.panel, stage.panel.mailbox, parent);
    const { user } = await member(parent, stage.panel.mailbox);
    const email = await emailOf(stage.panel, user.id);
    await tokenInRole(stage.panel, parent, 'OPERATOR');
    expect(
      await at(parent, '/clients', async (page) => {
        const row = page.getByRole('listitem').filter({ hasText: 'Acme Corp' });
        await row.getByText('Its owner has granted no access.').waitFor();
        const { grantDelegation } = dataOf(
          await acme.graphql<{ grantDelegation: { id: string } }>(
            'mutation { grantDelegation(input: { role: VIEWER, expiresInHours: 2 }) { id } }',
          ),
        );
        await row.getByText('You may act in it as viewer').waitFor();
        dataOf(
          await acme.graphql(
            'mutation ($input: LimitDelegationInput!) { limitDelegation(input: $input) { id } }',
            { input: { id: grantDelegation.id, userEmails: [email] } },
          ),
        );
        await row.getByText('Its owner has let in others of your organization only.').waitFor();
        expect(await page.getByRole('button', { name: 'Act in Acme Corp' }).count()).toBe(0);
        dataOf(
          await acme.graphql('mutation ($id: ID!) { revokeDelegation(id: $id) { id } }', {
            id: grantDelegation.id,
          }),
        );
        await row.getByText('Its owner has granted no access.').waitFor();
        expect(await page.getByRole('button', { name: 'Act in Acme Corp' }).count()).toBe(0);
        const readings = await unanswered(page, 'GrantsInForce');
        await page.reload();
        await page.getByRole('alert').filter({ hasText: 'The panel can not be reached' }).waitFor();
        await row.waitFor();
        expect(await row.getByText('Its owner has granted no access.').count()).toBe(0);
        await readings.mend();
        await row.getByText('Its owner has granted no access.').waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('one partner', () => {
  test('shows its tier and how it came to it, what it earned, and is suspended by who runs the panel', async () => {
    const { tenant, id } = await partner(stage.panel, 5);
    dataOf(await decide(stage.panel, 'approvePartner', id, { commissionPercent: 10 }));
    await stage.panel.clock.advance(3_000);
    const paidAt = stage.panel.clock.now().toISOString();
    await stage.panel.sql(
      `insert into billing.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
       values ('evt_' || gen_random_uuid(), $1, 'billing.invoice.paid', 'in_web', $2, 'test', now())`,
      [tenant.id, { invoiceId: 'in_web', amountPaid: 1_000, currency: 'usd', paidAt }],
    );
    expect(
      await at(tenant, `/partners/${id}`, async (page) => {
        const tiers = page.getByRole('list', { name: 'Tiers that it had' }).getByRole('listitem');
        await tiers.filter({ hasText: 'Silver' }).waitFor();
        await until(
          async () =>
            (await stage.panel.sql(`select 1 from billing.commission where invoice_id = 'in_web'`)).length >
            0,
          'the commission',
        );
        await page.reload();
        await page.getByRole('heading', { name: 'Commissions: $1.00 in all' }).waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await tabTo(page, 'Website', 120);
        await page.keyboard.insertText('https://partner.example');
        await page.keyboard.press('Enter');
        await page.locator('dd', { hasText: 'https://partner.example' }).waitFor();
        expect(await page.getByRole('button', { name: /^Suspend/ }).count()).toBe(0);
        expect(
          await at({ account: testAdministrator }, `/partners/${id}`, async (office) => {
            await press(office, /^Suspend /, 'Suspend');
            await office.locator('main').getByText('Suspended', { exact: true }).waitFor();
          }),
        ).toEqual(nothingWrong);
        await tiers.filter({ hasText: 'as it was suspended' }).waitFor();
      }),
    ).toEqual(nothingWrong);
    const stranger = await stage.panel.world.tenant();
    const isRefused = at(stranger, `/partners/${id}`, async (page) => heading(page, 'There is no such page'));
    expect(await isRefused).toEqual(nothingWrong);
  });
});
