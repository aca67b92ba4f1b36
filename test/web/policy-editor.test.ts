import { describe, expect, test, vi } from 'vitest';

import { create, encrypted, nodeWith } from '../governance/support/tenant.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { until, type Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, nothingWrong, Person, press, signInAt, tabTo } from './support/console.js';
import { line, retype, unanswered } from './support/editing.js';
import { focused, rules, usePolicyStage } from './support/policies.js';

vi.setConfig({ testTimeout: 240_000 });

const stage = usePolicyStage();
const { at } = stage;

async function groupOf(tenant: Tenant, name: string): Promise<string> {
  const answer = await tenant.graphql<{ createInstanceGroup: { id: string } }>(
    'mutation($name: String!) { createInstanceGroup(input: { name: $name, kind: LIVE, filter: { q: "plain" } }) { id } }',
    { name },
  );
  const { id } = dataOf(answer).createInstanceGroup;
  await until(
    async () =>
      (await stage.panel.sql('select 1 from governance.instance_group where id = $1', [id])).length > 0,
    'governance to know the group',
  );
  return id;
}

describe.skipIf(!isChromiumThere)('a policy', () => {
  test('is edited when one of its groups is gone, which can be taken out, and when single instances are', async () => {
    const tenant = await stage.panel.world.tenant();
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
        async () =>
          (await stage.panel.sql(`select 1 from governance.${table} where id = $1`, [id])).length === 0,
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
        await page.getByText(/^Version 3: Sealed, advisory, critical, for 1 group/).waitFor();
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

  test('for more single instances than one page has is edited in all of them, and shows those that are found and in it', async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await nodeWith(tenant, { backup: { encryption: false } }, 'first');
    for (const table of ['fleet.instance', 'governance.node'])
      await stage.panel.sql(
        `insert into ${table} select (jsonb_populate_record(i, jsonb_build_object('id', i.id || lpad(n::text, 5, '0'),
           'name', 'plain-' || n))).* from ${table} i, generate_series(1, 600) n where i.id = $1`,
        [node.id],
      );
    const ids = Array.from({ length: 600 }, (_, at) => `${node.id}${String(at + 1).padStart(5, '0')}`);
    const id = await create(tenant, { name: 'Many', rule: encrypted, appliesTo: { instance_ids: ids } });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await press(page, 'Edit');
        await page.getByText('600 instances are chosen.').waitFor();
        const chosen = page.getByRole('list', { name: 'Chosen' });
        const found = page.getByRole('list', { name: 'Found' });
        await chosen.getByRole('button', { name: 'Take out plain-600' }).focus();
        await page.keyboard.press('Enter');
        await page.getByText('599 instances are chosen.').waitFor();
        await page.getByLabel('Find others by name').focus();
        await page.keyboard.insertText('plain-59');
        // 59, and 590 to 599.
        await page.getByText('11 instances are called so. All of them are chosen.').waitFor();
        await tabTo(page, 'Take out plain-598');
        await page.keyboard.press('Enter');
        await page.getByText('598 instances are chosen.').waitFor();
        await found.getByRole('button', { name: 'Put in plain-598' }).waitFor();
        await page.keyboard.press('Enter');
        await page.getByText('599 instances are chosen.').waitFor();
        await tabTo(page, 'Take out plain-599');
        await page.keyboard.press('Enter');
        await press(page, 'Put the change into force');
        await page.getByText(/^Version 2: Many, advisory, .*, for 598 chosen instances/).waitFor();
        const { policy } = dataOf(
          await tenant.graphql<{ policy: { appliesTo: { instance_ids: string[] } } }>(
            'query ($id: ID!) { policy(id: $id) { appliesTo } }',
            { id },
          ),
        );
        const left = ids.filter((one) => !one.endsWith('00599') && !one.endsWith('00600'));
        expect(policy.appliesTo.instance_ids.toSorted()).toEqual(left.toSorted());
      }),
    ).toEqual(nothingWrong);
  });

  test('says that another changed it meanwhile, and takes the place of what was touched alone', async () => {
    const tenant = await stage.panel.world.tenant();
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
    const tenant = await stage.panel.world.tenant();
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.open('/governance');
    const facts = await unanswered(page, 'FactKinds');
    const previews = await unanswered(page, 'PreviewPolicy');
    await signInAt(page, tenant);
    const form = page.locator('form').filter({ hasText: 'Put it into force' });
    await form.getByText('The panel can not be reached.').first().waitFor();
    expect(await form.getByRole('button', { name: 'Put it into force' }).isDisabled()).toBe(true);
    await form.getByText('Write its rule, and whom it would hit is shown here.').waitFor();
    // Whoever only looks at the policies asks for no judgement of the whole fleet.
    expect(previews.asked()).toBe(0);
    await facts.mend();
    await previews.mend();
    await form.getByRole('button', { name: 'Try again' }).first().click();
    await tabTo(page, 'Name of the policy', 120);
    await page.keyboard.insertText('Cores');
    await choose(page, 'Fact', 'backup.encryption');
    await press(page, 'Put it into force');
    await line(page, 'Cores').first().waitFor();
    expect(await page.locator('form :focus').count()).toBe(1);
  });
});
