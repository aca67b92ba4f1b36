import { describe, expect, test, vi } from 'vitest';

import { firing } from '../fleet/alerts/support/panel.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, nothingWrong, press } from './support/console.js';
import { fits, focusedFault, open, retype } from './support/editing.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 240_000 });

const stage = useStage(async () => startTestPanel());
const { at } = stage;

interface Rule {
  kind: string;
  isEnabled: boolean;
  severity: string;
  threshold: number | null;
  forSeconds: number;
}

async function cpuRule(tenant: Tenant): Promise<Rule> {
  const answer = await tenant.graphql<{ alertRules: Rule[] }>(
    '{ alertRules { kind isEnabled severity threshold forSeconds } }',
  );
  return dataOf(answer).alertRules.find(({ kind }) => kind === 'CPU')!;
}

/** As a field for a moment takes it. */
function tomorrow(hour: number): string {
  const day = new Date(stage.panel.clock.now().getTime() + 86_400_000).toISOString().slice(0, 10);
  return `${day}T${String(hour).padStart(2, '0')}:00`;
}

describe.skipIf(!isChromiumThere)('alerts', () => {
  test('say who has them in hand and what holds them, are narrowed by rule and taken up together; silences, of now and of later, say of what they are and by whom', async () => {
    const tenant = await stage.panel.world.tenant();
    const { node } = await firing(stage.panel, tenant, 'web-1');
    // As if it had fallen silent since.
    const outage = async (instanceId: string, id: string) =>
      stage.panel.sql(
        `insert into fleet.alert (tenant_id, id, instance_id, instance_name, rule, component, severity, status, message,
           count, started_at, fired_at, last_seen_at, updated_at, observed_to)
         values ($1, $2, $3, 'web', 'OFFLINE', '', 'CRITICAL', 'FIRING', 'It has fallen silent', 1, $4, $4, $4, $4, $4)`,
        [tenant.id, `alr_${id.padStart(26, '0')}`, instanceId, stage.panel.clock.now()],
      );
    await outage(node.id, '1');
    await outage('inst_of_before', '2');
    expect(
      await at(tenant, '/alerts', async (page) => {
        const rows = page.getByRole('list', { name: 'Alerts' }).getByRole('listitem');
        await rows.nth(2).waitFor();
        await rows.filter({ hasText: 'CPU' }).getByText('Held by the outage of its node').waitFor();
        await rows.filter({ hasText: 'CPU' }).getByText('no channel told').waitFor();
        await choose(page, 'Rule', 'Offline');
        await rows.nth(2).waitFor({ state: 'detached' });
        await open(page, 'Acknowledge all of these', 'Acknowledge alerts');
        await page.getByRole('dialog').getByText('2 alerts fire (offline).').waitFor();
        await retype(page, 'Comment', 'The network is being mended');
        await page.keyboard.press('Enter');
        const taken = rows.filter({ hasText: 'Acknowledged by Owner' });
        await expect.poll(async () => taken.count()).toBe(2);
        await taken.first().getByText('The network is being mended').waitFor();
        await choose(page, 'Rule', 'Any');
        await rows.nth(2).waitFor();
        expect(await taken.count()).toBe(2);
        await press(page, 'Resolve Offline of web');
        await page
          .getByRole('dialog')
          .getByText('no alert comes again while the node stays offline')
          .waitFor();
        // A key that is pressed twice leaves it.
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        expect(await taken.count()).toBe(2);
        await page.getByText('None: channels are told of every alert.').waitFor();
        dataOf(
          await tenant.graphql(
            'mutation ($input: CreateSilenceInput!) { createSilence(input: $input) { id } }',
            {
              input: {
                matchers: [{ field: 'RULE', operator: 'EQUALS', value: 'CPU' }],
                endsAt: new Date(stage.panel.clock.now().getTime() + 3_600_000).toISOString(),
                comment: 'A colleague is at it',
              },
            },
          ),
        );
        await page.getByText('A colleague is at it').waitFor();
        await rows.filter({ hasText: 'CPU' }).getByText('silenced until').waitFor();
        const silences = page.getByRole('list', { name: 'Silences' }).getByRole('listitem');
        await open(page, 'Silence CPU of web-1', 'Silence alerts');
        await retype(page, 'Why', 'Its disk is changed');
        await page.keyboard.press('Enter');
        const own = silences.filter({ hasText: 'is CPU and Instance is web-1, until in 4 hours, by Owner' });
        await own.getByRole('link', { name: 'web-1' }).waitFor();
        await open(page, 'New silence', 'New silence');
        await retype(page, 'Value', 'shop');
        await page.getByLabel('From', { exact: true }).fill(tomorrow(8));
        await page.getByLabel('Until', { exact: true }).fill(tomorrow(7));
        await retype(page, 'Why', 'Racks are moved');
        await page.keyboard.press('Enter');
        expect(await focusedFault(page)).toContain('must be after starts at');
        await page.getByLabel('Until', { exact: true }).fill(tomorrow(9));
        await press(page, 'Silence');
        await silences
          .filter({ hasText: /^Tag of the instance is shop, from .* until .* by Owner/ })
          .waitFor();
        await press(page, 'End now the silence: Racks are moved', 'End now');
        await silences.filter({ hasText: 'Racks are moved' }).waitFor({ state: 'detached' });
        await own.waitFor();
      }),
    ).toEqual(nothingWrong);
  });
});

/** Whether lines were drawn again since they were marked: React gives an element that it draws again other properties. */
const mark = `[...document.querySelectorAll('ul[aria-label=Alerts] > li')].map((line) => {
  const key = Object.keys(line).find((name) => name.startsWith('__reactProps$'));
  const isAsItWas = line.marked === undefined ? null : line.marked === line[key];
  line.marked = line[key];
  return isAsItWas;
})`;

describe.skipIf(!isChromiumThere)('a list of alerts', () => {
  test('draws the line anew that a beat has changed, and no other', async () => {
    const tenant = await stage.panel.world.tenant();
    await firing(stage.panel, tenant, 'web-1');
    const { alert } = await firing(stage.panel, tenant, 'web-2');
    await firing(stage.panel, tenant, 'web-3');
    expect(
      await at(tenant, '/alerts', async (page) => {
        const rows = page.getByRole('list', { name: 'Alerts' }).getByRole('listitem');
        await rows.nth(2).waitFor();
        await page.waitForLoadState('networkidle');
        expect(await page.evaluate(mark)).toEqual([null, null, null]);
        dataOf(
          await tenant.graphql('mutation ($id: ID!) { acknowledgeAlert(id: $id) { id } }', {
            id: alert.id,
          }),
        );
        await rows.filter({ hasText: 'web-2' }).getByText('Acknowledged by Owner').waitFor();
        expect(await page.evaluate(mark)).toEqual([true, false, true]);
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('an alert rule', () => {
  test('is given another limit, what is wrong stands beside its field, and is switched off, on, and reset', async () => {
    const tenant = await stage.panel.world.tenant();
    const before = await cpuRule(tenant);
    expect(
      await at(tenant, '/alerts/rules', async (page) => {
        await heading(page, 'Alert rules');
        const cpu = page.getByRole('listitem').filter({ hasText: 'The CPU in use is at' });
        await open(page, 'Edit the rule CPU', 'Rule: CPU');
        await retype(page, 'Limit, in percent', '150');
        await retype(page, 'Has to hold for, in seconds', '90');
        await choose(page, 'Severity', 'Critical');
        await press(page, 'Save');
        expect(await focusedFault(page)).toContain('Threshold must be at most 100.');
        expect(await faultsOf(page)).toEqual([]);
        expect(await cpuRule(tenant)).toEqual(before);
        await retype(page, 'Limit, in percent', '80.5');
        await page.keyboard.press('Enter');
        await cpu.getByText('80.5 % or above, for 90 seconds.').waitFor();
        expect(await page.getByRole('dialog').count()).toBe(0);
        await fits(page);
        expect(await cpuRule(tenant)).toMatchObject({
          threshold: 80.5,
          forSeconds: 90,
          severity: 'CRITICAL',
        });
        await press(page, 'Switch off the rule CPU', 'Switch off');
        await cpu.getByText('Off', { exact: true }).waitFor();
        expect((await cpuRule(tenant)).isEnabled).toBe(false);
        await press(page, 'Switch on the rule CPU');
        await cpu.getByText('Active', { exact: true }).waitFor();
        await press(page, 'Reset the rule CPU', 'Reset');
        await cpu.getByText('As the panel comes').waitFor();
        expect(await cpuRule(tenant)).toEqual(before);
      }),
    ).toEqual(nothingWrong);
  });

  test('is overridden for a group, changed and removed there, and the page of an instance says which is in force', async () => {
    const tenant = await stage.panel.world.tenant();
    const { id } = await tenant.node('build-1');
    dataOf(
      await tenant.graphql(
        'mutation { createInstanceGroup(input: { name: "builders", kind: LIVE, filter: { q: "build" } }) { id } }',
      ),
    );
    expect(
      await at(tenant, '/alerts/rules', async (page) => {
        await heading(page, 'Alert rules');
        const overrides = page.getByRole('list', { name: 'Overrides of the rule CPU' });
        await open(page, 'Override the rule CPU for a group', 'Override: CPU');
        await page.getByLabel('For the group').selectOption('builders');
        await press(page, 'Save');
        await page.getByRole('dialog').getByText('must set something').waitFor();
        await retype(page, 'Limit, in percent', '150');
        await press(page, 'Save');
        expect(await focusedFault(page)).toContain('Threshold must be at most 100.');
        await retype(page, 'Limit, in percent', '99.5');
        await page.keyboard.press('Enter');
        await overrides.getByText('For the group builders: 99.5 % or above.').waitFor();
        expect(await page.getByRole('dialog').count()).toBe(0);
        expect(await faultsOf(page)).toEqual([]);
        await fits(page);
        await open(page, 'Edit override of the rule CPU for the group builders', 'Override: CPU');
        await retype(page, 'Priority', '7');
        await choose(page, 'Alerts', 'Off');
        await press(page, 'Save');
        await overrides.getByText('For the group builders: switched off, 99.5 % or above.').waitFor();
        expect(await overrides.getByRole('listitem').first().innerText()).toMatch(/^7 /);
        await page.goto(`${stage.panel.panel.url}/instances/${id}`);
        const rules = page.getByRole('list', { name: 'Alert rules in force' });
        const cpu = rules.getByRole('listitem').filter({ hasText: 'The CPU in use is at' });
        await cpu.getByText('By the override for the group builders (priority 7).').waitFor();
        await cpu.getByText('Off', { exact: true }).waitFor();
        await rules.getByText('As the panel comes.').first().waitFor();
        await page.goBack();
        await press(page, 'Remove override of the rule CPU for the group builders', 'Remove override');
        await overrides.waitFor({ state: 'detached' });
        expect(await cpuRule(tenant)).toMatchObject({ threshold: 90, isEnabled: true });
      }),
    ).toEqual(nothingWrong);
  });

  test('is only looked at by whoever may not change it', async () => {
    const tenant = await stage.panel.world.tenant();
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await at(tenant, '/alerts/rules', async (page) => {
        await page.getByText('The CPU in use is at').waitFor();
        const buttons = page.locator('main').getByRole('button');
        expect(await buttons.count()).toBe(0);
        expect(await page.getByRole('link', { name: 'Channels' }).count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});
