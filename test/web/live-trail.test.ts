import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test, vi } from 'vitest';

import { act as actIn } from '../identity/delegation/support.js';
import { client, provider } from '../identity/msp/support.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { Mailbox } from '../identity/support/mailbox.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, press } from './support/console.js';
import { focusedFault, retype } from './support/editing.js';
import { wrongWith } from './support/fits.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 120_000 });

let mailbox: Mailbox;
afterAll(async () => mailbox?.[Symbol.asyncDispose]());
const stage = useStage(async () => {
  mailbox = await Mailbox.start();
  return startTestPanel({ SMTP_URL: mailbox.url });
});
const { at } = stage;

const makeGroup = async (tenant: Tenant, name: string) =>
  dataOf(
    await tenant.graphql<{ createInstanceGroup: { id: string } }>(
      'mutation ($name: String!) { createInstanceGroup(input: { name: $name, kind: LIVE, filter: { tags: ["web"] } }) { id } }',
      { name },
    ),
  ).createInstanceGroup.id;

/** How often a page asks for something by the name of the operation. */
function countOf(page: Page, operation: string): () => number {
  let asked = 0;
  page.on('request', (request) => {
    if (!request.url().endsWith('/graphql') || request.method() !== 'POST') return;
    const { operationName } = request.postDataJSON() as { operationName?: string };
    if (operationName === operation) asked += 1;
  });
  return () => asked;
}

// Nothing is read again by itself meanwhile: what is waited for comes by an event or not at all.
describe.skipIf(!isChromiumThere)('what others do is seen while one looks', () => {
  test('in the audit trail, as far as it is narrowed, and on the overview', async () => {
    const tenant = await stage.panel.world.tenant();
    const { name } = (await tenant.rest<{ name: string }>('/api/auth/me')).body;
    expect(
      await at(tenant, '/audit?action=createInstanceGroup', async (page) => {
        await heading(page, 'Audit trail');
        await page.getByText('No entry is like this.').waitFor();
        const id = await makeGroup(tenant, 'First');
        const entry = page
          .getByRole('list', { name: 'Entries' })
          .getByRole('listitem')
          .filter({ hasText: id });
        await entry.getByText(`by user ${name}`).waitFor();
        const entries = page.getByRole('list', { name: 'Entries' }).getByRole('listitem');
        const day = (later: number) =>
          page.evaluate<string>(
            `new Date(Date.parse('${stage.panel.clock.now().toISOString()}') + ${later * 86_400_000}).toLocaleDateString('sv')`,
          );
        await page.getByLabel('To', { exact: true }).fill(await day(-1));
        await press(page, 'Show these');
        await page.getByText('No entry is like this.').waitFor();
        await page.getByLabel('From').fill(await day(0));
        await page.getByLabel('To', { exact: true }).fill(await day(0));
        await choose(page, 'Kind', 'Security events');
        await press(page, 'Show these');
        await expect.poll(() => page.url()).toMatch(/from=[\d-]+&to=[\d-]+/);
        await page.getByText('No entry is like this.').waitFor();
        await choose(page, 'Kind', 'Mutations');
        await press(page, 'Show these');
        await entry.getByText(`by user ${name}`).waitFor();
        await press(page, /^What else this caused: entry \d+$/);
        await expect.poll(async () => entries.count()).toBe(1);
        expect(await page.getByLabel('Request').inputValue()).not.toBe('');
        expect(await page.getByLabel('What', { exact: true }).inputValue()).toBe('');
        expect(await faultsOf(page)).toEqual([]);
        await page.goto(`${stage.panel.panel.url}/`);
        const changes = page.getByRole('region', { name: 'What changed lately' }).getByRole('listitem');
        await changes.filter({ hasText: 'First' }).waitFor();
        await makeGroup(tenant, 'Second');
        await changes.filter({ hasText: /Second/ }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('in the audit trail and on the overview while one deed follows the other, and nothing is asked for them', async () => {
    const tenant = await stage.panel.world.tenant();
    expect(
      await at(tenant, '/billing', async (page) => {
        for (const { path, list, operation } of [
          { path: '/audit', list: page.getByRole('list', { name: 'Entries' }), operation: 'AuditEvents' },
          {
            path: '/',
            list: page.getByRole('region', { name: 'What changed lately' }),
            operation: 'Changes',
          },
        ]) {
          const asked = countOf(page, operation);
          await page.goto(`${stage.panel.panel.url}${path}`);
          await list.getByRole('listitem').first().waitFor();
          // As it comes, and once it is followed.
          await expect.poll(asked, { timeout: 30_000 }).toBe(2);
          for (let n = 0; n < 12; n += 1) {
            await makeGroup(tenant, `Group ${n} of ${operation}`);
            await list
              .getByRole('listitem')
              .filter({ hasText: `Group ${n} of ${operation}` })
              .waitFor();
          }
          expect(asked()).toBe(2);
          expect(await list.getByRole('listitem').first().textContent()).toContain(
            `Group 11 of ${operation}`,
          );
        }
      }),
    ).toEqual(nothingWrong);
  });

  test('by a provider, of what its client grants and ends', async () => {
    const parent = await provider(stage.panel);
    const acme = await client(stage.panel, mailbox, parent);
    const onlyForOwner = `Only for Owner (${parent.account.email})`;
    expect(
      await at(parent, `/clients/${acme.id}`, async (page) => {
        await page.getByText('Its owner has granted no access yet.').waitFor();
        const { grantDelegation } = dataOf(
          await acme.graphql<{ grantDelegation: { id: string } }>(
            'mutation { grantDelegation(input: { role: VIEWER, expiresInHours: 1, reason: "A look" }) { id } }',
          ),
        );
        const access = page.getByRole('list', { name: 'Access' }).getByRole('listitem');
        await access.filter({ hasText: 'A look' }).filter({ hasText: 'Viewer until' }).waitFor();
        const act = page.getByRole('button', { name: /^Act in/ });
        await act.waitFor();
        dataOf(await actIn(stage.panel, parent.token, acme.id));
        dataOf(
          await acme.graphql('mutation ($id: ID!) { revokeDelegation(id: $id) { id } }', {
            id: grantDelegation.id,
          }),
        );
        await access.filter({ hasText: 'A look' }).filter({ hasText: 'was ended' }).waitFor();
        await act.waitFor({ state: 'detached' });
        // How it fares is seen as it changes too, and access can be asked for.
        await page.getByText('No instance').waitFor();
        await acme.node('theirs-01');
        await until(async () => {
          await stage.panel.clock.advance(1_000);
          return page.getByText('1 offline').isVisible();
        }, 'the client to be seen as it fares');
        await press(page, 'Ask Acme Corp for access');
        await page.getByLabel('What it is for').fill('A disk to replace');
        await page.getByLabel('Only for, by e-mail address').fill('nobody@example.com');
        await press(page, 'Ask for access');
        expect(await focusedFault(page)).toContain('No user of the provider has this address');
        await retype(page, 'Only for, by e-mail address', parent.account.email);
        await press(page, 'Ask for access');
        await page.getByText('As operator for 8 h: A disk to replace').waitFor();
        await page.getByText(onlyForOwner).waitFor();
        await page.getByRole('button', { name: 'Withdraw the request' }).waitFor();
        expect(await wrongWith(page)).toEqual([]);
      }),
    ).toEqual(nothingWrong);
    expect(
      await at(acme, '/members', async (page) => {
        await page.getByText(onlyForOwner).waitFor();
        await press(page, 'Approve access as operator');
        await choose(page, 'At most as', 'Viewer: looks only');
        expect(await wrongWith(page)).toEqual([]);
        await press(page, 'Approve');
        await page.getByText('As viewer until').waitFor();
        const before = page.getByRole('list', { name: 'Access of the provider' }).getByRole('listitem');
        await before.filter({ hasText: /ended .* by Client Owner A look/ }).waitFor();
        await page.getByText('Nobody asks for access to your organization.').waitFor();
        await page.getByText(onlyForOwner).waitFor();
      }),
    ).toEqual(nothingWrong);
    expect(
      await at(acme, '/audit?action=actInTenant', async (page) => {
        const by = `by somebody of the provider Owner (${parent.account.email}), of ${parent.user.tenant.name}`;
        await page.getByRole('listitem').filter({ hasText: by }).waitFor();
        await page.goto(`${stage.panel.panel.url}/audit?action=enrollInstance`);
        await page.getByRole('listitem').filter({ hasText: 'by the node inst_' }).waitFor();
      }),
    ).toEqual(nothingWrong);
    expect(
      await at(parent, '/audit?action=createMspClient', async (page) => {
        // Whom it was for, though what the hash covers has a word for that.
        await page.getByText(/^Details of entry/).click();
        await page.locator('pre').filter({ hasText: acme.account.email }).waitFor();
      }),
    ).toEqual(nothingWrong);
    expect(
      await at(parent, '/clients', async (page) => {
        await choose(page, 'Which', 'Suspended');
        await page.getByText('None is like this.').waitFor();
        await choose(page, 'Which', 'Need attention');
        const row = page.getByRole('listitem').filter({ hasText: 'Acme Corp' });
        await row.getByText('1 offline').waitFor();
        await row.getByText('You may act in it as viewer').waitFor();
        expect(await wrongWith(page)).toEqual([]);
      }),
    ).toEqual(nothingWrong);
  });
});
