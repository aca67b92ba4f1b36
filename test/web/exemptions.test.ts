import { describe, expect, test, vi } from 'vitest';

import { create, encrypted, nodeWith } from '../governance/support/tenant.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, press, tabTo } from './support/console.js';
import { fits, line, open, retype } from './support/editing.js';
import { usePolicyStage } from './support/policies.js';

vi.setConfig({ testTimeout: 240_000 });

const stage = usePolicyStage();
const { at } = stage;

async function scopeOf(tenant: Tenant, name: string): Promise<unknown> {
  const { policies } = dataOf(
    await tenant.graphql<{ policies: { nodes: { name: string; appliesTo: unknown }[] } }>(
      '{ policies { nodes { name appliesTo } } }',
    ),
  );
  return policies.nodes.find((policy) => policy.name === name)?.appliesTo;
}

describe.skipIf(!isChromiumThere)('the page of an instance', () => {
  test('says why a policy does not hold on it, exempts it from that one until a day, shows it, and ends it', async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await nodeWith(tenant, { backup: { encryption: false, offsite: false } }, 'plain-01');
    await create(tenant, { name: 'Sealed', rule: encrypted });
    const offsite = { condition: 'backup.offsite', operator: 'equals', value: true };
    const elsewhere = await create(tenant, { name: 'Elsewhere', rule: offsite });
    expect(
      await at(tenant, `/instances/${node.id}`, async (page) => {
        const results = page.getByRole('list', { name: 'Policies' }).getByRole('listitem');
        const exemptions = page.getByRole('list', { name: 'Exemptions' }).getByRole('listitem');
        const sealed = results.filter({ hasText: 'Sealed' });
        await sealed.getByText('backup.encryption is false; it takes equals true').waitFor();
        await open(page, 'Exempt plain-01 from Sealed', 'Exempt plain-01 from Sealed');
        await tabTo(page, 'Why');
        await page.keyboard.insertText('It moves next week');
        await tabTo(page, 'Until');
        // Years have four digits: what follows is the hour.
        await page.keyboard.type('010220370300AM');
        await press(page, 'Exempt it');
        await sealed.filter({ hasText: 'Exempt' }).waitFor();
        await exemptions
          .filter({ hasText: 'Sealed: It moves next week' })
          .getByText(/until Jan 2, 2037/)
          .waitFor();
        await results.filter({ hasText: 'Elsewhere' }).filter({ hasText: 'Fail' }).waitFor();
        // What another does meanwhile is seen here.
        dataOf(
          await tenant.graphql(
            'mutation($input: CreatePolicyExemptionInput!) { createPolicyExemption(input: $input) { id } }',
            { input: { policyId: elsewhere, instanceId: node.id, owner: 'Ops', reason: 'Its site is new' } },
          ),
        );
        await exemptions.filter({ hasText: 'Elsewhere: Its site is new' }).waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await fits(page);
        await press(page, 'End it: the exemption of plain-01 from Sealed', 'End it');
        await sealed.filter({ hasText: 'Fail' }).waitFor();
        await expect.poll(async () => exemptions.count()).toBe(1);
        await page.goto(stage.panel.panel.url);
        const changes = page.getByRole('region', { name: 'What changed lately' }).getByRole('listitem');
        await changes.filter({ hasText: 'created policy exemption from the policy' }).first().waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('lets whoever may not change it look only', async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
    await create(tenant, { name: 'Sealed', rule: encrypted });
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await at(tenant, `/instances/${node.id}`, async (page) => {
        await page.getByText('backup.encryption is false; it takes equals true').waitFor();
        expect(await page.getByRole('button', { name: /^Exempt/ }).count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});

test.skipIf(!isChromiumThere)('an alert that a policy does not hold leads to the policy', async () => {
  const tenant = await stage.panel.world.tenant();
  await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
  await create(tenant, { name: 'Sealed', rule: encrypted, enforcement: 'MANDATORY' });
  expect(
    await at(tenant, '/alerts', async (page) => {
      await line(page, 'The policy Sealed does not hold')
        .getByRole('link', { name: 'See the policy' })
        .click();
      await heading(page, 'Sealed');
    }),
  ).toEqual(nothingWrong);
});

describe.skipIf(!isChromiumThere)('a policy for single instances', () => {
  test('is made by finding them by name, and one is taken out and another put in where it is edited', async () => {
    const tenant = await stage.panel.world.tenant();
    const [one, two] = [
      await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01'),
      await nodeWith(tenant, { backup: { encryption: false } }, 'plain-02'),
    ];
    expect(
      await at(tenant, '/governance', async (page) => {
        await retype(page, 'Name of the policy', 'Single');
        await choose(page, 'Fact', 'backup.encryption');
        await choose(page, 'Has to be', 'equals');
        await choose(page, 'Whom it is for', 'Instances that are chosen one by one');
        await page.getByText('Choose whom it is for, and whom it would hit is shown here.').waitFor();
        await press(page, 'Put it into force');
        await page.getByText('It is a list, and not empty').first().waitFor();
        await retype(page, 'Find others by name', 'PLAIN');
        await page.keyboard.press('Enter');
        await page.getByText('2 instances are called so.').waitFor();
        await press(page, 'Put in plain-01');
        await page.getByText('1 instance is chosen.').waitFor();
        await page.getByText('1 of them is chosen.').waitFor();
        await page.getByText('it would not hold on 1 instance').waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await press(page, 'Put it into force');
        await line(page, 'Single').getByText('1 failing').waitFor();
        expect(await scopeOf(tenant, 'Single')).toEqual({ instance_ids: [one.id] });
        await page.getByRole('link', { name: 'Single' }).click();
        await press(page, 'Edit');
        await retype(page, 'Find others by name', '02');
        await press(page, 'Put in plain-02');
        await press(page, 'Take out plain-01');
        await press(page, 'Put the change into force');
        await line(page, 'plain-02').filter({ hasText: 'Fail' }).first().waitFor();
        expect(await scopeOf(tenant, 'Single')).toEqual({ instance_ids: [two.id] });
      }),
    ).toEqual(nothingWrong);
  });
});
