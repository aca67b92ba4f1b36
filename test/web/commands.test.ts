import type { Route } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';

import { report, sent, takeOne } from '../fleet/commands/support/commands.js';
import { create, encrypted, nodeWith } from '../governance/support/tenant.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import type { Node, Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, Person, press, tabTo } from './support/console.js';
import { focusedFault, retype } from './support/editing.js';
import { usePolicyStage } from './support/policies.js';

vi.setConfig({ testTimeout: 120_000 });

const stage = usePolicyStage();

/** A tenant with a node that beats. */
async function withNode(): Promise<{ tenant: Tenant; node: Node }> {
  const tenant = await stage.panel.world.tenant();
  const node = await tenant.node();
  await node.beat();
  return { tenant, node };
}

const operationOf = (route: Route) => route.request().postData() ?? '';

async function tag(tenant: Tenant, node: Node): Promise<void> {
  const input = { id: node.id, tags: ['web'] };
  const update = 'mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }';
  dataOf(await tenant.graphql(update, { input }));
}

test.skipIf(!isChromiumThere)(
  'a command is sent to those of a group, or to some that are chosen, at once or planned',
  async () => {
    const tenant = await stage.panel.world.tenant();
    const member = await tenant.node('member');
    await tenant.node('other');
    dataOf(
      await tenant.graphql(
        'mutation ($input: CreateInstanceGroupInput!) { createInstanceGroup(input: $input) { id } }',
        { input: { name: 'Databases', kind: 'STATIC', instanceIds: [member.id] } },
      ),
    );
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/commands/new');
    const said = page.getByRole('region', { name: 'What it would do' }).getByRole('status');
    await choose(page, 'Whom it is for', 'Those in some groups');
    await said.filter({ hasText: 'Choose whom it is for.' }).waitFor();
    await tabTo(page, 'Databases', 200);
    await page.keyboard.press('Space');
    await said.filter({ hasText: 'It touches 1 instance: member.' }).waitFor();
    await choose(page, 'Whom it is for', 'Instances that are chosen one by one');
    await tabTo(page, 'Find others by name', 200);
    await page.keyboard.insertText('oth');
    await tabTo(page, 'Put in other', 200);
    await page.keyboard.press('Enter');
    await said.filter({ hasText: 'It touches 1 instance: other.' }).waitFor();
    const beginsIn = async (hours: number) =>
      page.getByLabel('It begins').fill(new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16));
    await said.filter({ hasText: /It touches 1 instance: other\..* It begins at once\./ }).waitFor();
    await beginsIn(-2);
    await said
      .filter({ hasText: 'It begins at once, as the time that it was to begin at has passed.' })
      .waitFor();
    // No year has as many digits, whatever the browser takes.
    await page.getByLabel('It begins').fill('020261-12-01T10:00');
    await said.filter({ hasText: 'Fill in what the command takes' }).waitFor();
    await beginsIn(48);
    await said.filter({ hasText: /It touches 1 instance: other\..* It begins on / }).waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await tabTo(page, 'Send', 200);
    await page.keyboard.press('Enter');
    await page.getByText('1 instance: 1 waiting').waitFor();
    await page.getByText(', begins in 48 hours').waitFor();
    await press(page, /^Cancel it/, 'Cancel it');
    await page.getByText('1 instance: 1 not run').waitFor();
    await page.getByText(', to begin in 48 hours').waitFor();
    expect([dana.complaints, dana.strangers]).toEqual([[], []]);
  },
);

test.skipIf(!isChromiumThere)(
  'a command says before it is sent whom it touches, which policies refuse it and what holds it back, as the form changes',
  async () => {
    const tenant = await stage.panel.world.tenant();
    const good = await nodeWith(tenant, { 'backup.encryption': true }, 'good-01');
    const bad = await nodeWith(tenant, { 'backup.encryption': false }, 'bad-01');
    for (const { id } of [good, bad]) {
      dataOf(
        await tenant.graphql(
          'mutation ($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }',
          { input: { id, tags: ['web'] } },
        ),
      );
    }
    await create(tenant, {
      name: 'Encrypted backups',
      rule: encrypted,
      enforcement: 'MANDATORY',
      resolution: 'Set a passphrase.',
    });
    dataOf(
      await tenant.graphql(
        'mutation ($input: CreateMaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id } }',
        {
          input: {
            name: 'Freeze',
            effect: 'DENY',
            startsAt: new Date(stage.panel.clock.now().getTime() - 60_000).toISOString(),
            durationMinutes: 120,
          },
        },
      ),
    );
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/commands/new');
    const said = page.getByRole('region', { name: 'What it would do' }).getByRole('status');
    await heading(page, 'Send a command');
    await said.filter({ hasText: 'Choose whom it is for.' }).waitFor();
    await choose(page, 'Command', 'Update');
    await tabTo(page, 'With all of the tags');
    await page.keyboard.insertText('web');
    await said.filter({ hasText: 'Fill in what the command takes' }).waitFor();
    await tabTo(page, 'version', 200);
    await page.keyboard.insertText('0.3.0');
    await said.filter({ hasText: 'It touches 2 instances: good-01, bad-01.' }).waitFor();
    await said.filter({ hasText: 'Mandatory policies refuse it on 1' }).waitFor();
    await said.filter({ hasText: 'Maintenance windows hold it back on 2.' }).waitFor();
    await page.getByText('Encrypted backups refuses it on 1 instance. Set a passphrase.').waitFor();
    await page.getByText('bad-01: backup.encryption is false; it takes equals true').waitFor();
    await page.getByText('Freeze: 2 instances until').waitFor();
    await page.getByText('It expires before that and is not done there').waitFor();
    await tabTo(page, 'All of them', 200);
    await page.keyboard.press('Enter');
    await page.getByText('bad-01 refused, held back').waitFor();
    expect(await faultsOf(page)).toEqual([]);
    // It is asked anew as soon as something is chosen otherwise.
    await tabTo(page, 'How careful', 200);
    await page.keyboard.press('Enter');
    await tabTo(page, /Begin outside of maintenance windows too/, 200);
    await page.keyboard.press('Space');
    await page.getByText('Freeze: 2 instances until').waitFor({ state: 'detached' });
    await choose(page, 'Command', 'Apply policy');
    await retype(page, 'policy_id', 'pol_1');
    await retype(page, 'rule', 'none');
    expect(await focusedFault(page)).toContain('rule must be an object');
    await retype(page, 'rule', '{"backup":true}');
    await said.filter({ hasText: 'It touches 2 instances: good-01, bad-01.' }).waitFor();
    expect(await page.locator('[aria-invalid=true]').count()).toBe(0);
    await choose(page, 'Command', 'Backup');
    await page.getByText('Mandatory policies refuse it').waitFor({ state: 'detached' });
    await retype(page, 'Minutes to be through with it', '90');
    await said.filter({ hasText: 'It touches 2 instances: good-01, bad-01.' }).waitFor();
    await tabTo(page, 'Send', 200);
    await page.keyboard.press('Enter');
    await heading(page, 'Backup');
    await page.getByText('2 instances: 2 waiting').waitFor();
    const rows = await stage.panel.sql(
      'select execution_timeout_seconds from fleet.command where tenant_id = $1',
      [tenant.id],
    );
    expect(rows).toEqual([{ execution_timeout_seconds: 5_400 }]);
    expect([dana.complaints, dana.strangers]).toEqual([[], []]);
  },
);

test.skipIf(!isChromiumThere)(
  'of a command to ten thousand a page is shown at a time, those that failed are shown by themselves, with all that they printed, and it is sent again to them',
  async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await tenant.node('worn-01');
    const id = await sent(tenant, [node], { command: 'backup' });
    const handed = await takeOne(node);
    const output = `${'x'.repeat(3_000)} the disk is full`;
    await report(node, handed, 'failed', { output, exit_code: 3 });
    await report(node, handed, 'success', { output: 'It went through after all' });
    await stage.panel.sql('update fleet.command_invocation set position = 590 where command_id = $1', [id]);
    await stage.panel.sql(
      `insert into fleet.command_invocation
         (tenant_id, command_id, instance_id, position, status, lease_stem, updated_at)
       select $1, $2, 'inst_' || n, n, 'SUCCESS', 'x', now() from generate_series(0, 9999) n where n <> 590`,
      [tenant.id, id],
    );
    await stage.panel.sql(
      `update fleet.command set total = 10000, counts = '{"SUCCESS": 9999, "FAILED": 1}' where id = $1`,
      [id],
    );
    expect(
      await stage.at(tenant, `/commands/${id}`, async (page) => {
        const rows = page.getByRole('list', { name: 'Instances of this command' }).getByRole('listitem');
        await page.getByText('by Owner').waitFor();
        await rows.nth(99).waitFor();
        await press(page, 'Next page');
        await rows.getByRole('link', { name: 'inst_100', exact: true }).waitFor();
        expect([await rows.count(), new URL(page.url()).searchParams.get('after')]).toEqual([100, 'inst_99']);
        await press(page, 'Next page');
        await rows.getByRole('link', { name: 'inst_200', exact: true }).waitFor();
        expect(await rows.count()).toBe(100);
        await page.goBack();
        await rows.getByRole('link', { name: 'inst_100', exact: true }).waitFor();
        await page.goto(`${stage.panel.panel.url}/commands/${id}?show=done&after=inst_9899`);
        await rows.getByRole('link', { name: 'inst_9999', exact: true }).waitFor();
        expect(await page.getByRole('link', { name: 'Next page' }).count()).toBe(0);
        await press(page, 'First page');
        await rows.getByRole('link', { name: 'inst_0', exact: true }).waitFor();
        expect(new URL(page.url()).search).toBe('?show=done');
        await choose(page, 'Show', 'Failed (1)');
        await rows.filter({ hasText: 'worn-01' }).waitFor();
        expect(await rows.count()).toBe(1);
        await rows.getByText('too late to count: success').waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await press(page, 'Output');
        expect(await page.content()).not.toContain('the disk is full');
        await press(page, 'Show all of it: the output of worn-01');
        await rows.getByText('the disk is full').waitFor();
        await rows.getByText('It went through after all').waitFor();
        await press(page, 'Send again to those that failed', 'Send again to those that failed');
        await page.getByText('1 instance: 1 waiting').waitFor();
        const again = await takeOne(node);
        expect(again.command).toBe('backup');
        await rows.filter({ hasText: 'Pending' }).waitFor();
        await report(node, again, 'success');
        await rows.filter({ hasText: 'Success' }).waitFor();
        await page.getByText('1 instance: 1 done').waitFor();
      }),
    ).toEqual(nothingWrong);
  },
);

describe.skipIf(!isChromiumThere)('a command', () => {
  test('whose answer was lost is pressed again and sent once', async () => {
    const { tenant, node } = await withNode();
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, `/commands/new?instance=${node.id}`);
    await page.getByText(`It touches 1 instance: ${node.name}.`).waitFor();
    let isLost = false;
    await page.route('**/graphql', async (route) => {
      if (isLost || !operationOf(route).includes('mutation SendCommand')) return route.fallback();
      isLost = true;
      await route.fetch();
      await route.abort();
    });
    const send = page.getByRole('button', { name: 'Send', exact: true });
    await send.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'can not be reached' }).waitFor();
    await send.press('Enter');
    await heading(page, 'Run diagnostics');
    const { commands } = dataOf(
      await tenant.graphql<{ commands: { totalCount: number } }>('{ commands { totalCount } }'),
    );
    expect(commands.totalCount).toBe(1);
  });

  test('can not be sent while it is not known whom it touches, and all that are offline are counted', async () => {
    const { tenant, node } = await withNode();
    const other = await tenant.node('away-01');
    for (const each of [node, other]) await tag(tenant, each);
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/commands/new?tag=web');
    await page.getByText('It touches 2 instances').waitFor();
    await page.getByText('1 of them is offline and gets it when it is back.').waitFor();
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/graphql', async (route) => {
      if (operationOf(route).includes('query PreviewCommand')) await held;
      await route.fallback();
    });
    await page.getByLabel('With all of the tags').fill('web, none');
    await page.locator('button:disabled', { hasText: 'Send' }).waitFor();
    expect(await page.getByText('It touches 2 instances').count()).toBe(0);
    answer();
    await page.getByText('No instance is among these now.').waitFor();
    expect(dana.complaints).toEqual([]);
  });
});
