import { describe, expect, test, vi } from 'vitest';

import { create, encrypted, nodeWith } from '../governance/support/tenant.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { tokenInRole } from '../support/roles.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, press, tabTo } from './support/console.js';
import { fits, focusedFault, line, open, retype } from './support/editing.js';
import { narrowed } from './support/fits.js';
import { focused, rules, usePolicyStage, type Rule } from './support/policies.js';

vi.setConfig({ testTimeout: 240_000 });

const stage = usePolicyStage();
const { at } = stage;

/** A comparison within as many combinations. */
function nested(levels: number): Rule {
  return levels === 0 ? encrypted : { operator: 'all', value: [nested(levels - 1)] };
}

describe.skipIf(!isChromiumThere)('a rule of several comparisons', () => {
  test('is put together by keyboard, its faults stand beside their fields, and it says whom it would hit', async () => {
    const tenant = await stage.panel.world.tenant();
    await nodeWith(tenant, { backup: { encryption: false, offsite: true } }, 'plain-01');
    await nodeWith(tenant, { backup: { encryption: true, offsite: false } }, 'sealed-01');
    expect(
      await at(tenant, '/governance', async (page) => {
        await tabTo(page, 'Name of the policy', 120);
        await page.keyboard.insertText('Backups');
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
        await page.keyboard.insertText('archive');
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
    const tenant = await stage.panel.world.tenant();
    const id = await create(tenant, { name: 'Deep', rule: nested(9) });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await press(page, 'Edit');
        await expect.poll(async () => focused(page)).toBe('Name of the policy');
        const deepest = `What has to be in part ${Array.from({ length: 9 }, () => '1').join('.')}`;
        const options = page.getByLabel(deepest, { exact: true }).locator('option');
        expect(await options.allTextContents()).toEqual(['One comparison holds']);
        expect(await narrowed(page)).toBe(360);
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
    const tenant = await stage.panel.world.tenant();
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
    const tenant = await stage.panel.world.tenant();
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
    const tenant = await stage.panel.world.tenant();
    await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
    const id = await create(tenant, { name: 'Sealed', rule: encrypted });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await page.getByText('No instance is exempt.').waitFor();
        const results = page.getByRole('list', { name: 'Instances' }).getByRole('listitem');
        await results.filter({ hasText: 'Fail' }).waitFor();
        await open(page, 'Exempt plain-01 from Sealed', 'Exempt plain-01 from Sealed');
        await retype(page, 'Who answers for it', 'Dana');
        await tabTo(page, 'Why');
        await page.keyboard.insertText('It moves next week');
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
        await press(page, 'End it: the exemption of plain-01 from Sealed', 'End it');
        await page.getByText('No instance is exempt.').waitFor();
        await results.filter({ hasText: 'Fail' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('sends what mends it, and shows what became of that', async () => {
    const tenant = await stage.panel.world.tenant();
    await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
    const id = await create(tenant, { name: 'Sealed', rule: encrypted, remediation: { command: 'BACKUP' } });
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await page.getByText('None was sent yet.').waitFor();
        const results = page.getByRole('list', { name: 'Instances' }).getByRole('listitem');
        await results.filter({ hasText: 'Fail' }).waitFor();
        await press(page, 'Backup plain-01, as Sealed says', 'Backup');
        const remedies = page.getByRole('list', { name: 'Remedies' }).getByRole('listitem');
        await remedies.filter({ hasText: 'Backup to plain-01' }).waitFor();
        await page.reload();
        await remedies.filter({ hasText: 'Sent' }).waitFor();
        expect(await remedies.getByRole('link', { name: 'Backup' }).count()).toBe(1);
        await choose(page, 'State of the remedies', 'Failed');
        await page.getByText('None is in this state.').waitFor();
        expect(new URL(page.url()).search).toBe('?remedies=FAILED');
        await choose(page, 'State of the remedies', 'Sent');
        await remedies.filter({ hasText: 'Backup to plain-01' }).waitFor();
      }),
    ).toEqual(nothingWrong);
  });

  test('is only looked at by whoever may not change it', async () => {
    const tenant = await stage.panel.world.tenant();
    await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
    const id = await create(tenant, { name: 'Sealed', rule: encrypted });
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await at(tenant, `/governance/policies/${id}`, async (page) => {
        await page.getByText('No instance is exempt.').waitFor();
        await line(page, 'plain-01').first().waitFor();
        expect(await page.locator('main').getByRole('button').count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('a policy', () => {
  test('says whom it would hit before it is in force, and then who breaks it and why', async () => {
    const tenant = await (await stage.panel.world.tenant()).grantPlan('PRO');
    await nodeWith(tenant, { backup: { encryption: false } }, 'plain-01');
    await nodeWith(tenant, { backup: { encryption: true } }, 'sealed-01');
    expect(
      await at(tenant, '/governance', async (page) => {
        await page.getByText('There is no policy yet.').waitFor();
        await tabTo(page, 'Name of the policy');
        await page.keyboard.insertText('Sealed backups');
        await choose(page, 'Fact', 'backup.encryption');
        await choose(page, 'Has to be', 'equals');
        await page.getByText('it would not hold on 1 instance').waitFor();
        await page.getByText('plain-01: backup.encryption is false').waitFor();
        await press(page, 'Put it into force');
        await page
          .getByRole('listitem')
          .filter({ hasText: 'Sealed backups' })
          .getByText('1 failing')
          .waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await press(page, 'Sealed backups');
        await heading(page, 'Sealed backups');
        const broken = page.getByRole('listitem').filter({ hasText: 'plain-01' });
        await broken.getByText('it takes equals true').waitFor();
        await page.getByRole('listitem').filter({ hasText: 'sealed-01' }).getByText('Pass').waitFor();
        await page.goto(`${stage.panel.panel.url}/governance/scores`);
        await page.getByText('100 × 5 ÷ 10 = 50.').first().waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});
