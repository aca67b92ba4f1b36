import { describe, expect, test, vi } from 'vitest';

import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, Person, press, tabTo } from './support/console.js';
import { fits, line, open, retype } from './support/editing.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 240_000 });

const stage = useStage(async () => startTestPanel());

interface Group {
  name: string;
  kind: string;
  filter: { tags: string[] | null; status: string | null; q: string | null } | null;
  instances: { nodes: { name: string }[] };
}

async function groups(tenant: Tenant): Promise<Group[]> {
  const answer = await tenant.graphql<{ instanceGroups: { nodes: Group[] } }>(
    '{ instanceGroups { nodes { name kind filter { tags status q } instances { nodes { name } } } } }',
  );
  return dataOf(answer).instanceGroups.nodes;
}

describe.skipIf(!isChromiumThere)('a group of instances', () => {
  test('that is live says who is in it before it is made, follows its filter, and is removed', async () => {
    const tenant = await stage.panel.world.tenant();
    for (const name of ['shop-1', 'shop-2', 'mail-1']) await tenant.node(name);
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/groups');
    await page.getByText('There is no group yet.').waitFor();
    await tabTo(page, 'Name of the group', 120);
    await page.keyboard.insertText('Shops');
    await page.getByText('Say at least one of these.').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Filter must have tags, a status or a text.').waitFor();
    await tabTo(page, 'In the name or host', 120);
    await page.keyboard.insertText('shop');
    await page.getByText('Now that is 2 instances: shop-1, shop-2.').waitFor();
    await page.keyboard.press('Enter');
    const row = page.getByRole('list', { name: 'Groups of instances' }).getByRole('listitem');
    await row.getByText('Shops', { exact: true }).waitFor();
    await open(page, 'Members of Shops', 'Members of Shops');
    const members = page.getByRole('dialog').getByRole('list', { name: 'In the group' });
    await members.getByText('shop-2').waitFor();
    expect(await page.getByLabel('Find others by name').count()).toBe(0);
    await press(page, 'Close');
    await row.getByText('“shop” in its name or host').waitFor();
    await fits(page);
    await tenant.node('shop-3');
    await open(page, 'Edit Shops', 'Group: Shops');
    await page.getByText('Now that is 3 instances').waitFor();
    await choose(page, 'Status', 'Offline');
    await press(page, 'Save');
    await row.getByText('the status offline and “shop” in its name or host').waitFor();
    expect(await groups(tenant)).toMatchObject([
      {
        name: 'Shops',
        kind: 'LIVE',
        filter: { status: 'OFFLINE', q: 'shop' },
        instances: { nodes: [{ name: 'shop-1' }, { name: 'shop-2' }, { name: 'shop-3' }] },
      },
    ]);
    await press(page, 'Remove Shops', 'Remove');
    await page.getByText('There is no group yet.').waitFor();
    // Its row is gone, and whoever goes by keyboard goes on from its list.
    await page.locator('h2:focus', { hasText: 'Groups of instances' }).waitFor();
    expect([await faultsOf(page), dana.complaints, dana.strangers]).toEqual([[], [], []]);
  });

  test('that is static has its members put in and taken out one by one, and is sent a command', async () => {
    const tenant = await stage.panel.world.tenant();
    for (const name of ['shop-1', 'shop-2', 'mail-1']) await tenant.node(name);
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/groups');
    const namesIn = async () =>
      (await groups(tenant)).flatMap(({ instances }) => instances.nodes.map(({ name }) => name));
    await tabTo(page, 'Name of the group', 120);
    await page.keyboard.insertText('Pilots');
    await choose(page, 'Who is in it', 'Whoever has it in common now');
    await tabTo(page, 'In the name or host');
    await page.keyboard.insertText('shop');
    await press(page, 'Make the group');
    await open(page, 'Members of Pilots', 'Members of Pilots');
    await page.getByText('2 instances in it.').waitFor();
    await press(page, 'Take out shop-2');
    await page.getByText('1 instance in it.').waitFor();
    for (const name of ['shop-3', 'shop-4']) await tenant.node(name);
    expect(await page.locator(':focus').textContent()).toBe('1 instance in it.');
    await tabTo(page, 'Find others by name');
    await page.keyboard.insertText('-1');
    await press(page, 'Put in mail-1');
    await page.getByText('2 instances in it.').waitFor();
    await page.getByText('2 instances are called so. All of them are in the group.').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    expect(await namesIn()).toEqual(['shop-1', 'mail-1']);
    await retype(page, 'Find others by name', 'shop');
    await page.getByText('4 instances are called so. 1 of them is in the group.').waitFor();
    // What somebody else does meanwhile is not undone, and neither is a press before the answer to the one before.
    await page.evaluate(
      `for (const name of ['shop-3', 'shop-4']) document.querySelector('[aria-label="Put in ' + name + '"]').click()`,
    );
    await page.getByText('4 instances in it.').waitFor();
    expect((await namesIn()).toSorted()).toEqual(['mail-1', 'shop-1', 'shop-3', 'shop-4']);
    await page.keyboard.press('Escape');
    await line(page, 'Pilots').getByText('shop-1').waitFor();
    await line(page, 'Pilots').getByText('mail-1').waitFor();

    // However many there are, who is in it is taken out, and not put in again.
    await stage.panel.sql(
      `with made as (
         insert into fleet.instance select (jsonb_populate_record(i, jsonb_build_object(
           'id', left(i.id, -3) || lpad(n::text, 3, '0'), 'name', 'many-' || lpad(n::text, 3, '0')))).*
         from fleet.instance i, generate_series(1, 110) n where i.tenant_id = $1 and i.name = 'mail-1'
         returning tenant_id, id)
       insert into fleet.instance_group_member
       select made.tenant_id, g.id, made.id from made join fleet.instance_group g using (tenant_id)`,
      [tenant.id],
    );
    await open(page, 'Members of Pilots', 'Members of Pilots');
    await page.getByText('114 instances in it.').waitFor();
    await press(page, 'Show more');
    await page.getByRole('dialog').getByText('many-110').waitFor();
    await retype(page, 'Find others by name', 'many-110');
    await page.getByText('1 instance is called so. All of them are in the group.').waitFor();
    const found = page.getByRole('list', { name: 'Found' });
    expect(await found.getByRole('button').allTextContents()).toEqual(['Take out']);
    await found.getByRole('button', { name: 'Take out many-110' }).press('Enter');
    await page.getByText('113 instances in it.').waitFor();
    await found.getByRole('button', { name: 'Put in many-110' }).waitFor();
    await page.keyboard.press('Escape');
    await press(page, 'Send a command to Pilots');
    await page.getByText('It touches 113 instances').waitFor();
    expect(await page.getByLabel('Pilots').isChecked()).toBe(true);
    expect([await faultsOf(page), dana.complaints, dana.strangers]).toEqual([[], [], []]);
  });
});
