import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';

import { connect, provision, reaches, startHostingPanel } from '../hosting/support/hosting-panel.js';
import { trailOf } from '../identity/audit/support.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { tokenInRole } from '../support/roles.js';
import { until, type Tenant } from '../support/world.js';
import { choose, heading, nothingWrong, press, tabTo } from './support/console.js';
import { answerLost, retype, unanswered } from './support/editing.js';
import { wrongWith } from './support/fits.js';
import { passUntil } from './support/passing.js';
import { useStage } from './support/stage.js';

// Steps follow each other through queues, which take their time on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

const stage = useStage(async () => startHostingPanel());
const { at } = stage;

async function connected(token = stage.panel.hetzner.token()): Promise<Tenant> {
  const tenant = await (await stage.panel.world.tenant()).grantPlan('PRO');
  dataOf(await connect(tenant, token));
  return tenant;
}

async function ordered(tenant: Tenant, name: string): Promise<string> {
  return dataOf(await provision(tenant, { name })).provisionServer.id;
}

const steps = (page: Page) => page.getByRole('list', { name: 'Steps' }).getByRole('listitem');

describe.skipIf(!isChromiumThere)('one server', () => {
  test('shows each step with its time as it comes, its instance, its costs, and its end', async () => {
    const token = stage.panel.hetzner.token();
    const tenant = await connected(token);
    const id = await ordered(tenant, 'web-1');
    expect(
      await at(tenant, '/servers', async (page) => {
        await press(page, 'web-1');
        await heading(page, 'web-1');
        expect(page.url()).toBe(`${stage.panel.panel.url}/servers/${id}`);
        await steps(page).filter({ hasText: 'Ready: yet to come' }).waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await page.reload();
        await passUntil(stage.panel, steps(page).locator('.status', { hasText: 'Ready' }));
        const told = await steps(page).allTextContents();
        const timed = told.map((text) => /^(\w+) .*\d\d:\d\d/.exec(text)?.[1]);
        // One that starts between two looks at the provider was never seen to.
        expect(timed.filter((step) => step !== 'Booting')).toEqual([
          'Requested',
          'Creating',
          'Enrolling',
          'Ready',
        ]);
        await page.locator('dd').getByRole('link', { name: 'web-1' }).waitFor();
        await page
          .getByText(/at most €[\d.]+ a month/)
          .first()
          .waitFor();
        await press(page, 'Protect web-1');
        await page.getByText('It can not be removed before that is taken off.').waitFor();
        expect(await page.getByRole('button', { name: 'Remove web-1' }).count()).toBe(0);
        await press(page, 'Unprotect web-1');
        stage.panel.hetzner.attach(token, 'web-1', { kind: 'volume', name: 'data-1' });
        await press(page, 'Remove web-1');
        await page.getByRole('dialog').waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await press(page, 'Remove');
        await passUntil(stage.panel, steps(page).locator('.status', { hasText: 'Deleted' }));
        const left = page.getByRole('region', { name: 'Left at the provider' });
        await left.getByText('data-1').waitFor();
        await page.getByText('Delete at the provider what nobody needs of it.').waitFor();
        // Its name is free again.
        await tabTo(page, 'Name of the server', 120);
        expect(await page.getByLabel('Name of the server').inputValue()).toBe('web-1');
        await page.keyboard.press('Enter');
        await page.waitForURL((url) => !url.pathname.endsWith(id));
        await steps(page).filter({ hasText: 'It was ordered.' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('says why it failed and what to do, and is ordered again', async () => {
    const tenant = await connected();
    stage.panel.hetzner.addFault({
      kind: 'error',
      method: 'POST',
      body: 'too-many',
      code: 'resource_limit_exceeded',
      message: 'no more',
    });
    const id = await ordered(tenant, 'too-many');
    expect(
      await at(tenant, `/servers/${id}`, async (page) => {
        await passUntil(stage.panel, steps(page).locator('.status', { hasText: 'Failed' }));
        await page.getByText('no more').first().waitFor();
        await page.getByText('The account may have no more servers at the provider').waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await page
          .getByText(/at most €[\d.]+ a month/)
          .last()
          .waitFor();
        await tabTo(page, 'Name of the server', 120);
        await page.keyboard.insertText('too-many');
        await page.keyboard.press('Enter');
        await page.getByRole('alert').filter({ hasText: 'There is a server too-many already' }).waitFor();
        await page.getByLabel('Name of the server').fill('enough');
        await page.keyboard.press('Enter');
        await heading(page, 'enough');
        // Of however many there are, those that something has to be done about are found.
        await stage.panel.sql(
          `insert into hosting.server select (jsonb_populate_record(s, jsonb_build_object(
             'id', left(s.id, -3) || lpad(n::text, 3, '0'), 'name', 'many-' || n, 'phase', 'READY', 'reason', null))).*
           from hosting.server s, generate_series(1, 101) n where s.id = $1`,
          [id],
        );
        await page.goto(`${stage.panel.panel.url}/servers`);
        const rows = page.getByRole('list', { name: 'Servers' }).getByRole('listitem');
        await rows.nth(99).waitFor();
        await choose(page, 'State', 'Failed');
        await rows.nth(1).waitFor({ state: 'detached' });
        expect(await rows.getByRole('link').first().textContent()).toBe('too-many');
        expect(new URL(page.url()).search).toBe('?status=FAILED');
      }),
    ).toEqual(nothingWrong);
  });

  test('what was read stays with the reason above it while it can not be read anew, and is read again by itself', async () => {
    const tenant = await connected();
    const id = await ordered(tenant, 'kept');
    await reaches(stage.panel, tenant, id, 'READY');
    expect(
      await at(tenant, `/servers/${id}`, async (page) => {
        await heading(page, 'kept');
        const readings = await unanswered(page, 'ServerDetail');
        await press(page, 'Protect kept');
        const reason = page.getByRole('alert').filter({ hasText: 'The panel can not be reached' });
        await reason.waitFor();
        await heading(page, 'kept');
        await readings.mend();
        await reason.waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Unprotect kept' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('is not there for others, and offers nothing to those who only look', async () => {
    const tenant = await connected();
    const id = await ordered(tenant, 'ours');
    await reaches(stage.panel, tenant, id, 'READY');
    const stranger = await stage.panel.world.tenant();
    expect(
      await at(stranger, `/servers/${id}`, async (page) => heading(page, 'There is no such page')),
    ).toEqual(nothingWrong);
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await at(tenant, `/servers/${id}`, async (page) => {
        await heading(page, 'ours');
        await steps(page).filter({ hasText: 'Ready' }).waitFor();
        expect(await page.getByRole('button', { name: /ours$/ }).count()).toBe(0);
        expect(await page.getByText('so far').count()).toBe(0);
        await page.goto(`${stage.panel.panel.url}/servers`);
        await page.getByRole('listitem').filter({ hasText: 'ours' }).getByText('a month').waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('a provider', () => {
  test('is connected with a token that does not show what is there only when that may be left behind', async () => {
    const tenant = await connected();
    await reaches(stage.panel, tenant, await ordered(tenant, 'kept'), 'READY');
    const other = stage.panel.hetzner.token({ project: 'away' });
    expect(
      await at(tenant, '/servers', async (page) => {
        await press(page, 'Another token for Hetzner Cloud');
        await tabTo(page, 'API token of Hetzner Cloud');
        await page.keyboard.insertText(other);
        await page.keyboard.press('Enter');
        await page.getByText('does not show the 1 servers').waitFor();
        await tabTo(page, /^Leave the servers behind/);
        await page.keyboard.press('Space');
        await press(page, 'Connect Hetzner Cloud');
        await page.getByText('Hetzner Cloud is connected.').waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('is let go of with its servers once it is said that they stay behind', async () => {
    const tenant = await connected();
    await reaches(stage.panel, tenant, await ordered(tenant, 'closed'), 'READY');
    expect(
      await at(tenant, '/servers', async (page) => {
        await press(page, 'Disconnect Hetzner Cloud', 'Disconnect');
        await press(page, 'Leave the servers of Hetzner Cloud behind', 'Leave its servers');
        await page.getByText('Hetzner Cloud is disconnected.').waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('an order', () => {
  test('whose answer was lost is made once by the same press, and is another one by another name', async () => {
    const tenant = await connected();
    expect(
      await at(tenant, '/servers', async (page) => {
        const lost = page.getByRole('alert').filter({ hasText: 'send the same again: it is done once' });
        await page.getByRole('button', { name: 'Order it', disabled: false }).waitFor();
        await retype(page, 'Name of the server', 'once');
        await answerLost(page, 'ProvisionServer');
        await page.keyboard.press('Enter');
        await lost.waitFor();
        await press(page, 'Order it');
        await heading(page, 'once');
        await page.goBack();
        await page.getByRole('button', { name: 'Order it', disabled: false }).waitFor();
        await retype(page, 'Name of the server', 'first');
        await answerLost(page, 'ProvisionServer');
        await page.keyboard.press('Enter');
        await lost.waitFor();
        await retype(page, 'Name of the server', 'second');
        await page.keyboard.press('Enter');
        await heading(page, 'second');
      }),
    ).toEqual(nothingWrong);
    const { servers } = dataOf(
      await tenant.graphql<{ servers: { nodes: { name: string }[] } }>('{ servers { nodes { name } } }'),
    );
    expect(servers.nodes.map(({ name }) => name).toSorted()).toEqual(['first', 'once', 'second']);
  });

  test('is in the costs beside it, and no budget is dropped by a press of its button', async () => {
    const tenant = await connected();
    expect(
      await at(tenant, '/servers', async (page) => {
        const costs = page.getByRole('region', { name: 'Costs and budget' });
        const limit = page.getByLabel('At most, a month');
        await press(page, 'Set the budget');
        expect(await page.locator('input:focus:invalid').count()).toBe(1);
        await retype(page, 'At most, a month', '50');
        await page.keyboard.press('Enter');
        await costs.getByText('of a budget of €50').waitFor();
        await expect.poll(async () => limit.inputValue()).toBe('50');
        await choose(page, 'Currency', 'USD');
        expect(await limit.inputValue()).toBe('');
        await retype(page, 'At most, a month', '20');
        await page.keyboard.press('Enter');
        await costs.getByText('of a budget of $20').waitFor();

        await retype(page, 'Name of the server', 'costly');
        await page.keyboard.press('Enter');
        await heading(page, 'costly');
        await page.goBack();
        await costs.getByText(/at most €[1-9][\d.]* a month of a budget of €50/).waitFor();

        await press(page, 'No budget in USD', 'No budget');
        await costs.getByText('of a budget of $20').waitFor({ state: 'detached' });
        await costs.getByText('of a budget of €50').waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('what changed lately', () => {
  test('is one line for each deed: who did what to which, and what is otherwise by it', async () => {
    const tenant = await connected();
    const id = await ordered(tenant, 'told');
    dataOf(
      await tenant.graphql('mutation ($id: ID!) { protectServer(id: $id, isProtected: true) { id } }', {
        id,
      }),
    );
    dataOf(
      await tenant.graphql('mutation ($id: ID!) { protectServer(id: $id, isProtected: false) { id } }', {
        id,
      }),
    );
    dataOf(
      await tenant.graphql(
        `mutation { createMaintenanceWindow(input: {
           name: "Night", effect: DENY, startsAt: "2037-02-02T08:00:00Z", durationMinutes: 60 }) { id } }`,
      ),
    );
    // Entries come within seconds of what they tell of.
    await until(
      async () => (await trailOf(tenant, { filter: { target: id } })).nodes.length === 3,
      'all of the server in the trail',
    );
    await until(
      async () =>
        (await trailOf(tenant, { filter: { action: 'createMaintenanceWindow' } })).nodes.length === 1,
      'the window in the trail',
    );
    expect(
      await at(tenant, '/', async (page) => {
        const lines = page.getByRole('region', { name: 'What changed lately' }).getByRole('listitem');
        await lines
          .filter({ hasText: 'Owner provisioned server told → size cx22, region fsn1, provider hetzner' })
          .waitFor();
        await lines.filter({ hasText: /Owner protected the server\s*$/ }).waitFor();
        await lines.filter({ hasText: /Owner unprotected the server\s*$/ }).waitFor();
        const window = lines.filter({ hasText: 'Owner created maintenance window Night' });
        await window.waitFor();
        expect(await window.textContent()).not.toMatch(/\d{4}-\d{2}-\d{2}T|grp_/);
        expect(await wrongWith(page)).toEqual([]);
        await press(page, 'told');
        await heading(page, 'told');
      }),
    ).toEqual(nothingWrong);
  });
});
