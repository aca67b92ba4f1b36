import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import { create, encrypted, nodeWith, useScene } from '../governance/support/tenant.js';
import { isChromiumThere, launchChromium } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { until, type Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, Person, press, signInAt, tabTo, visit } from './support/console.js';
import { fits, focusedFault, line, open, retype, unanswered } from './support/editing.js';

vi.setConfig({ testTimeout: 240_000 });

let panel: TestPanel;
let browser: Browser;
beforeAll(async () => {
  if (!isChromiumThere) return;
  panel = await startTestPanel();
  useScene(panel);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await panel?.stop();
});

const at = async (who: Pick<Tenant, 'account'>, path: string, work: (page: Page) => Promise<void>) =>
  visit(browser, panel.panel.url, { who, path, work });

interface Rule {
  condition?: string | null;
  operator: string;
  value: unknown;
}

async function rules(tenant: Tenant): Promise<Record<string, Rule>> {
  const answer = await tenant.graphql<{ policies: { nodes: { name: string; rule: Rule }[] } }>(
    '{ policies { nodes { name rule { condition operator value } } } }',
  );
  return Object.fromEntries(dataOf(answer).policies.nodes.map(({ name, rule }) => [name, rule]));
}

/** A comparison within as many combinations. */
function nested(levels: number): Rule {
  return levels === 0 ? encrypted : { operator: 'all', value: [nested(levels - 1)] };
}

async function groupOf(tenant: Tenant, name: string): Promise<string> {
  const answer = await tenant.graphql<{ createInstanceGroup: { id: string } }>(
    'mutation($name: String!) { createInstanceGroup(input: { name: $name, kind: LIVE, filter: { q: "plain" } }) { id } }',
    { name },
  );
  const { id } = dataOf(answer).createInstanceGroup;
  await until(
    async () => (await panel.sql('select 1 from governance.instance_group where id = $1', [id])).length > 0,
    'governance to know the group',
  );
  return id;
}

const focused = async (page: Page) =>
  page.evaluate<string>('(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()');

describe.skipIf(!isChromiumThere)('a rule of several comparisons', () => {
  test('is put together by keyboard, its faults stand beside their fields, and it says whom it would hit', async () => {
    const tenant = await panel.world.tenant();
    await nodeWith(tenant, { backup: { encryption: false, offsite: true } }, 'plain-01');
    await nodeWith(tenant, { backup: { encryption: true, offsite: false } }, 'sealed-01');
    expect(
      await at(tenant, '/governance', async (page) => {
        await tabTo(page, 'Name of the policy', 120);
        await page.keyboard.type('Backups');
        await choose(page, 'Fact', 'backup.encryption');
        await choose(page, 'Has to be', 'equals');
        await page.keyboard.press('Shift+Tab');
        await page.keyboard.press('Shift+Tab');
        expect(await focused(page)).toBe('What has to be');
        await page.keyboard.type('Any of these');
        await press(page, 'Add a part');
        await expect.poll(async () => focused(page)).toBe('What has to be in part 2');
        await page.keyboard.type('All of these');
        expect(await focused(page)).toBe('What has to be in part 2');
        await choose(page, 'Fact 2.1', 'backup.offsite');
        await choose(page, 'Has to be 2.1', 'equals');
        await press(page, 'Add a part to part 2');
        await expect.poll(async () => focused(page)).toBe('What has to be in part 2.2');
        await choose(page, 'Fact 2.2', 'instance.tags');
        await choose(page, 'Has to be 2.2', 'contains');
        await tabTo(page, 'Value 2.2');
        await page.keyboard.type('archive');
        await press(page, 'Add a part');
        await choose(page, 'Fact 3', 'os.name');
        await choose(page, 'Has to be 3', 'matches');
        await tabTo(page, 'Value 3');
        await page.keyboard.type('(debian');
        await press(page, 'Put it into force');
        expect(await focusedFault(page)).toContain('This pattern cannot be used');
        expect(await focused(page)).toBe('Value 3');
        expect(await faultsOf(page)).toEqual([]);
        await fits(page);
        await press(page, 'Remove part 3');
        expect(await focused(page)).toBe('Add a part');
        await page.getByText('it would not hold on 1 instance').waitFor();
        await press(page, 'Put it into force');
        await line(page, 'Backups').getByText('1 failing').waitFor();
        expect(await rules(tenant)).toEqual({
          Backups: {
            condition: null,
            operator: 'any',
            value: [
              encrypted,
              {
                operator: 'all',
                value: [
                  { condition: 'backup.offsite', operator: 'equals', value: true },
                  { condition: 'instance.tags', operator: 'contains', value: 'archive' },
                ],
              },
            ],
          },
        });
      }),
    ).toEqual(nothingWrong);
  });

  test('is edited as deep as the panel takes it, and no deeper, in a window of 360 pixels too', async () => {
    const tenant = await panel.world.tenant();
    const id = await create(tenant, { name: 'Deep', rule: nested(9) });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await press(page, 'Edit');
        await expect.poll(async () => focused(page)).toBe('Name of the policy');
        const deepest = `What has to be in part ${Array.from({ length: 9 }, () => '1').join('.')}`;
        const options = page.getByLabel(deepest, { exact: true }).locator('option');
        expect(await options.allTextContents()).toEqual(['One comparison holds']);
        await page.setViewportSize({ width: 360, height: 740 });
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(360);
        expect(await faultsOf(page)).toEqual([]);
        await retype(page, 'Name of the policy', 'Deeper');
        await press(page, 'Put the change into force');
        await heading(page, 'Deeper');
        expect(await rules(tenant)).toEqual({ Deeper: { condition: null, ...nested(9) } });
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('a policy that is there', () => {
  test('says whom a change would hit before it is in force, keeps its versions, and goes back to one', async () => {
    const tenant = await panel.world.tenant();
    await nodeWith(tenant, { backup: { encryption: false }, os: { version: '22.04' } }, 'plain-01');
    const id = await create(tenant, {
      name: 'Systems',
      rule: { condition: 'os.version', operator: 'gte', value: '22.04' },
    });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await page.getByText('1 passing').waitFor();
        await press(page, 'Edit');
        await page.getByText('it would not hold on 0 instances').waitFor();
        // What nobody has touched is sent as it was: a version, though it looks like a number.
        await retype(page, 'What to do where it does not hold', 'Upgrade it');
        await choose(page, 'Severity', 'Critical');
        await choose(page, 'What mends it', 'A restart');
        await press(page, 'Put the change into force');
        await page.getByText('Where it does not hold: Upgrade it').waitFor();
        await page.getByText('Restart mends it.').waitFor();
        const version1 = { condition: 'os.version', operator: 'gte', value: '22.04' };
        expect(await rules(tenant)).toEqual({ Systems: version1 });

        await press(page, 'Edit');
        await retype(page, 'Value', '24.04');
        await page.getByText('it would not hold on 1 instance').waitFor();
        await page.getByText(/plain-01: os\.version is "22\.04"/).waitFor();
        expect(await rules(tenant)).toEqual({ Systems: version1 });
        await press(page, 'Put the change into force');
        await line(page, 'plain-01').getByText('Fail', { exact: true }).first().waitFor();
        expect(await rules(tenant)).toEqual({ Systems: { ...version1, value: '24.04' } });
        await page.getByText(/^Version 3: Systems/).waitFor();

        await press(page, 'Edit from version 1');
        expect(await page.getByLabel('Value', { exact: true }).inputValue()).toBe('22.04');
        await page.getByText('it would not hold on 0 instances').waitFor();
        await press(page, 'Put the change into force');
        await line(page, 'plain-01').getByText('Pass', { exact: true }).first().waitFor();
        await page.getByText('Restart mends it.').waitFor();
        expect(await rules(tenant)).toEqual({ Systems: version1 });
      }),
    ).toEqual(nothingWrong);
  });

  test('may be about what nodes report of their own, and what was a text stays one until it is touched', async () => {
    const tenant = await panel.world.tenant();
    const rule = { condition: 'custom.rack', operator: 'equals', value: '7' };
    const id = await create(tenant, { name: 'Racks', rule });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await press(page, 'Edit');
        await retype(page, 'Path below custom', 'row');
        await retype(page, 'Value', '8');
        await press(page, 'Put the change into force');
        await page.getByText('custom.row equals 8').first().waitFor();
        expect(await rules(tenant)).toEqual({ Racks: { ...rule, condition: 'custom.row', value: 8 } });
        await press(page, 'Edit from version 1');
        await choose(page, 'Severity', 'Low');
        await press(page, 'Put the change into force');
        await page.getByText(/^Version 3: Racks/).waitFor();
        expect(await rules(tenant)).toEqual({ Racks: rule });
      }),
    ).toEqual(nothingWrong);
  });

  test('exempts an instance with an owner, a reason and an end, and counts there again when that is ended', async () => {
    const tenant = await panel.world.tenant();
    await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
    const id = await create(tenant, { name: 'Sealed', rule: encrypted });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await page.getByText('No instance is exempt.').waitFor();
        const results = page.getByRole('list', { name: 'Instances' }).getByRole('listitem');
        await results.filter({ hasText: 'Fail' }).waitFor();
        await open(page, 'Exempt plain-01', 'Exempt plain-01');
        await retype(page, 'Who answers for it', 'Dana');
        await tabTo(page, 'Why');
        await page.keyboard.type('It moves next week');
        await tabTo(page, 'Until');
        // Years have four digits: what follows is the hour.
        await page.keyboard.type('010220200300AM');
        await press(page, 'Exempt it');
        expect(await focusedFault(page)).toContain('Expires at must be in the future.');
        await tabTo(page, 'Until');
        await page.keyboard.type('01022037');
        await press(page, 'Exempt it');
        await results.filter({ hasText: 'Exempt' }).first().waitFor();
        const exemptions = page.getByRole('list', { name: 'Exemptions' }).getByRole('listitem');
        await exemptions.getByText('Dana answers for it, until Jan 2, 2037').waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await press(page, 'End it: the exemption of plain-01', 'End it');
        await page.getByText('No instance is exempt.').waitFor();
        await results.filter({ hasText: 'Fail' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('is edited when one of its groups is gone, which can be taken out, and when single instances are', async () => {
    const tenant = await panel.world.tenant();
    const node = await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
    const groupIds = [await groupOf(tenant, 'Shops'), await groupOf(tenant, 'Offices')];
    const [byGroup, bySingle] = [
      await create(tenant, { name: 'Sealed', rule: encrypted, appliesTo: { group_ids: groupIds } }),
      await create(tenant, { name: 'Single', rule: encrypted, appliesTo: { instance_ids: [node.id] } }),
    ];
    dataOf(
      await tenant.graphql('mutation($id: ID!) { deleteInstanceGroup(id: $id) { id } }', { id: groupIds[0] }),
    );
    dataOf(
      await tenant.graphql('mutation($id: ID!) { decommissionInstance(id: $id) { id } }', { id: node.id }),
    );
    for (const [table, id] of [
      ['instance_group', groupIds[0]],
      ['node', node.id],
    ] as const)
      await until(
        async () => (await panel.sql(`select 1 from governance.${table} where id = $1`, [id])).length === 0,
        `governance to know that ${id} is gone`,
      );
    expect(
      await at(tenant, `/governance/policies/${byGroup}`, async (page) => {
        await press(page, 'Edit');
        await page.getByText('it would not hold on 0 instances').waitFor();
        await choose(page, 'Severity', 'Critical');
        await press(page, 'Put the change into force');
        await page.getByText(/^Version 2: Sealed, advisory, critical, for 2 groups/).waitFor();
        await press(page, 'Edit');
        await tabTo(page, `A group that was removed (${groupIds[0]})`, 200);
        await page.keyboard.press('Space');
        await press(page, 'Put the change into force');
        await page.getByText(/^Version 3: Sealed, advisory, critical, for 1 groups/).waitFor();
      }),
    ).toEqual(nothingWrong);
    expect(
      await at(tenant, `/governance/policies/${bySingle}`, async (page) => {
        await press(page, 'Edit');
        await page.getByText('it would not hold on 0 instances').waitFor();
        await choose(page, 'Severity', 'Critical');
        await press(page, 'Put the change into force');
        await page.getByText(/^Version 2: Single, advisory, critical, for 1 chosen/).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('says that another changed it meanwhile, and takes the place of what was touched alone', async () => {
    const tenant = await panel.world.tenant();
    const id = await create(tenant, { name: 'Sealed', rule: encrypted, description: 'Because' });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await press(page, 'Edit');
        await retype(page, 'What to do where it does not hold', 'Seal it');
        const rule = { condition: 'backup.offsite', operator: 'equals', value: true };
        dataOf(
          await tenant.graphql(
            'mutation($id: ID!, $input: UpdatePolicyInput!) { updatePolicy(id: $id, input: $input) { id } }',
            { id, input: { rule, description: 'Because of the law', enforcement: 'MANDATORY' } },
          ),
        );
        await nodeWith(tenant, { backup: { offsite: false } }, 'plain-01');
        await page
          .getByText('It was changed meanwhile: version 2 is in force, and this began with version 1.')
          .waitFor({ timeout: 60_000 });
        expect(await faultsOf(page)).toEqual([]);
        await press(page, 'Put the change into force');
        await page.getByText('Where it does not hold: Seal it').waitFor();
        await page.getByText(/^Version 3: Sealed, mandatory/).waitFor();
        await page.getByText('Because of the law').waitFor();
        expect(await rules(tenant)).toEqual({ Sealed: rule });
        expect(await focused(page)).toBe('Edit');
      }),
    ).toEqual(nothingWrong);
  });

  test('is not made while it is not known which facts there are: numbers would be texts', async () => {
    const tenant = await panel.world.tenant();
    await using dana = await Person.come(browser, panel.panel.url);
    const page = await dana.open('/governance');
    const facts = await unanswered(page, 'FactKinds');
    await signInAt(page, tenant);
    const form = page.locator('form').filter({ hasText: 'Put it into force' });
    await form.getByText('The panel can not be reached.').first().waitFor();
    expect(await form.getByRole('button', { name: 'Put it into force' }).isDisabled()).toBe(true);
    await facts.mend();
    await form.getByRole('button', { name: 'Try again' }).first().click();
    await tabTo(page, 'Name of the policy', 120);
    await page.keyboard.type('Cores');
    await choose(page, 'Fact', 'backup.encryption');
    await press(page, 'Put it into force');
    await line(page, 'Cores').first().waitFor();
    expect(await page.locator('form :focus').count()).toBe(1);
  });

  test('is only looked at by whoever may not change it', async () => {
    const tenant = await panel.world.tenant();
    await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
    const id = await create(tenant, { name: 'Sealed', rule: encrypted });
    await tokenInRole(panel, tenant, 'VIEWER');
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await page.getByText('No instance is exempt.').waitFor();
        await line(page, 'plain-01').first().waitFor();
        expect(await page.locator('main').getByRole('button').count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});
