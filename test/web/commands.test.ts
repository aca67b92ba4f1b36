import { expect, test, vi } from 'vitest';

import { report, sent, takeOne } from '../fleet/commands/support/commands.js';
import { create, encrypted, nodeWith } from '../governance/support/tenant.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, Person, press, tabTo } from './support/console.js';
import { usePolicyStage } from './support/policies.js';

vi.setConfig({ testTimeout: 120_000 });

const stage = usePolicyStage();

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
    await page.getByText(', begins in 2 days').waitFor();
    await press(page, /^Cancel it/, 'Cancel it');
    await page.getByText('1 instance: 1 not run').waitFor();
    await page.getByText(', to begin in 2 days').waitFor();
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
    await choose(page, 'Command', 'Backup');
    await page.getByText('Mandatory policies refuse it').waitFor({ state: 'detached' });
    await said.filter({ hasText: 'It touches 2 instances: good-01, bad-01.' }).waitFor();
    await tabTo(page, 'Send', 200);
    await page.keyboard.press('Enter');
    await heading(page, 'Backup');
    await page.getByText('2 instances: 2 waiting').waitFor();
    expect([dana.complaints, dana.strangers]).toEqual([[], []]);
  },
);

test.skipIf(!isChromiumThere)(
  'of a large command those that failed are shown by themselves, with all that they printed, and it is sent again to them',
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
       select $1, $2, 'inst_' || n, n, 'SUCCESS', 'x', now() from generate_series(0, 589) n`,
      [tenant.id, id],
    );
    await stage.panel.sql(
      `update fleet.command set total = 591, counts = '{"SUCCESS": 590, "FAILED": 1}' where id = $1`,
      [id],
    );
    expect(
      await stage.at(tenant, `/commands/${id}`, async (page) => {
        const rows = page.getByRole('list', { name: 'Instances of this command' }).getByRole('listitem');
        await page.getByText('by Owner').waitFor();
        await rows.nth(99).waitFor();
        await press(page, 'Show more');
        await rows.nth(199).waitFor();
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
