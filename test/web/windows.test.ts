import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';

import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';
import { faultsOf } from './support/axe.js';
import { choose, heading, Person, press, signInAt, tabTo } from './support/console.js';
import { fits, focusedFault, line, open, retype, unanswered } from './support/editing.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 240_000 });

const stage = useStage(async () => startTestPanel());

interface Window {
  name: string;
  effect: string;
  groupId: string | null;
  startsAt: string;
  durationMinutes: number;
  repeats: string;
  timeZone: string;
}

async function windows(tenant: Tenant): Promise<Window[]> {
  const answer = await tenant.graphql<{ maintenanceWindows: { nodes: Window[] } }>(
    '{ maintenanceWindows { nodes { name effect groupId startsAt durationMinutes repeats timeZone } } }',
  );
  return dataOf(answer).maintenanceWindows.nodes;
}

/** A moment in the far future, so that it does not matter when the test runs: three in the morning of a winter's Monday. */
const begins = { day: '02', month: '02', year: '2037', hour: '03', minute: '00' };

async function typeTime(page: Page, label: string, hour = begins.hour): Promise<void> {
  await tabTo(page, label, 200);
  // The parts of a field for date and time, in the order that people of the United States know.
  await page.keyboard.type(`${begins.month}${begins.day}${begins.year}`);
  await page.keyboard.type(`${hour}${begins.minute}AM`);
}

const focusedName = async (page: Page) => page.locator('form :focus').getAttribute('name');

async function groupOf(tenant: Tenant, name: string): Promise<string> {
  const answer = await tenant.graphql<{ createInstanceGroup: { id: string } }>(
    'mutation($name: String!) { createInstanceGroup(input: { name: $name, kind: LIVE, filter: { tags: ["shop"] } }) { id } }',
    { name },
  );
  return dataOf(answer).createInstanceGroup.id;
}

async function windowOf(tenant: Tenant, input: Record<string, unknown>): Promise<string> {
  const answer = await tenant.graphql<{ createMaintenanceWindow: { id: string } }>(
    'mutation($input: CreateMaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id } }',
    { input: { effect: 'DENY', durationMinutes: 60, ...input } },
  );
  return dataOf(answer).createMaintenanceWindow.id;
}

describe.skipIf(!isChromiumThere)('a maintenance window', () => {
  test('is made by the clocks of another zone, shown by those of the reader, changed, and removed', async () => {
    const tenant = await stage.panel.world.tenant();
    const groupId = await groupOf(tenant, 'Shops');
    await using dana = await Person.come(stage.browser, stage.panel.panel.url, {
      timezoneId: 'Asia/Tokyo',
      locale: 'en-US',
    });
    const page = await dana.signIn(tenant, '/maintenance');
    await heading(page, 'Maintenance windows');
    await page.getByText('There is none: commands begin at any time.').waitFor();
    await tabTo(page, 'Name of the window', 120);
    await page.keyboard.insertText('Nights');
    await choose(page, 'For', 'The group Shops');
    await typeTime(page, 'Begins');
    await choose(page, 'Time zone', 'America/New_York');
    await page.getByText('For you that is Feb 2, 2037, 5:00:00').waitFor();
    await choose(page, 'How often', 'Every day');
    await retype(page, 'For how long, in minutes', '1440');
    await press(page, 'Make the window');
    expect(await focusedFault(page)).toContain('It must be over before it comes again.');
    expect(await faultsOf(page)).toEqual([]);
    await retype(page, 'For how long, in minutes', '120');
    await page.keyboard.press('Enter');
    const row = line(page, 'Nights');
    await row.waitFor();
    // The form is empty again, and the field that had the focus has it still.
    expect(await focusedName(page)).toBe('durationMinutes');
    await row.getByText('Every day at 3:00').waitFor();
    await row.getByText('(America/New_York), for 2 hours').waitFor();
    await row.getByText('for the group Shops').waitFor();
    await row.getByText('For you it begins Feb 2, 2037, 5:00:00').waitFor();
    expect(await windows(tenant)).toEqual([
      {
        name: 'Nights',
        effect: 'ALLOW',
        groupId,
        startsAt: '2037-02-02T08:00:00.000Z',
        durationMinutes: 120,
        repeats: 'DAILY',
        timeZone: 'America/New_York',
      },
    ]);

    await fits(page);
    await open(page, 'Edit Nights', 'Window: Nights');
    await choose(page, 'How often', 'Every month');
    await choose(page, 'Comes again on', 'the first Monday of the month');
    await press(page, 'Save');
    await row.getByText('On the first Monday of the month at 3:00').waitFor();
    await open(page, 'Edit Nights', 'Window: Nights');
    await choose(page, 'How often', 'Every week');
    for (const day of ['Monday', 'Friday']) await page.getByRole('dialog').getByLabel(day).check();
    await page.getByRole('dialog').getByLabel('Begins no more from').fill('2037-06-01T00:00');
    expect(await faultsOf(page)).toEqual([]);
    await press(page, 'Save');
    await row.getByText('Every Monday and Friday at 3:00').waitFor();
    await row.getByText('no more from Jun 1, 2037, 1:00:00').waitFor();
    await open(page, 'Edit Nights', 'Window: Nights');
    await choose(page, 'What it does', 'No command begins in it');
    await choose(page, 'For', 'All instances');
    await choose(page, 'How often', 'Once');
    await press(page, 'Save');
    await row.getByText('No command begins in it. Once, Feb 2, 2037 at 3:00').waitFor();
    expect(await windows(tenant)).toMatchObject([
      { effect: 'DENY', groupId: null, repeats: 'NEVER', startsAt: '2037-02-02T08:00:00.000Z' },
    ]);
    await press(page, 'Remove Nights', 'Remove');
    await page.getByText('There is none: commands begin at any time.').waitFor();
    expect(await windows(tenant)).toEqual([]);
    expect([await faultsOf(page), dana.complaints, dana.strangers]).toEqual([[], [], []]);
  });

  test('begins by clocks that are put forward and back as people of its zone read them', async () => {
    await using dana = await Person.come(stage.browser, stage.panel.panel.url, {
      timezoneId: 'Asia/Tokyo',
      locale: 'en-US',
    });
    const page = await dana.signIn(await stage.panel.world.tenant(), '/maintenance');
    await heading(page, 'Maintenance windows');
    await choose(page, 'Time zone', 'Europe/Berlin');
    for (const [local, shown] of [
      ['2037-07-01T12:00', 'Jul 1, 2037, 7:00:00'],
      // There is no such time: clocks go from two to three.
      ['2037-03-29T02:30', 'Mar 29, 2037, 10:30:00'],
      // There are two such times: the first is meant.
      ['2037-10-25T02:30', 'Oct 25, 2037, 9:30:00'],
    ] as const) {
      await page.getByLabel('Begins', { exact: true }).fill(local);
      await page.getByText(`For you that is ${shown}`).waitFor();
    }
    expect([dana.complaints, dana.strangers]).toEqual([[], []]);
  });

  test('stays with its group while groups can not be read, and keeps what another changes meanwhile', async () => {
    const tenant = await stage.panel.world.tenant();
    const [groupId, otherId] = [await groupOf(tenant, 'Shops'), await groupOf(tenant, 'Offices')];
    const id = await windowOf(tenant, { name: 'Freeze', groupId, startsAt: '2037-02-02T08:00:30.000Z' });
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.open('/maintenance');
    const groups = await unanswered(page, 'GroupNames');
    await signInAt(page, tenant);
    await line(page, 'Freeze').getByText('for a group').waitFor();
    await open(page, 'Edit Freeze', 'Window: Freeze');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The panel can not be reached.').waitFor();
    await retype(page, 'Name of the window', 'Thaw');
    dataOf(
      await tenant.graphql(
        'mutation($id: ID!) { updateMaintenanceWindow(input: { id: $id, durationMinutes: 90 }) { id } }',
        { id },
      ),
    );
    await press(page, 'Save');
    await line(page, 'Thaw').getByText('for 90 minutes').waitFor();
    expect(await windows(tenant)).toMatchObject([
      { name: 'Thaw', groupId, durationMinutes: 90, startsAt: '2037-02-02T08:00:30.000Z' },
    ]);
    await groups.mend();
    await open(page, 'Edit Thaw', 'Window: Thaw');
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await choose(page, 'For', 'The group Offices');
    await press(page, 'Save');
    await line(page, 'Thaw').getByText('for the group Offices').waitFor();
    expect(await windows(tenant)).toMatchObject([{ groupId: otherId }]);
    expect([await faultsOf(page), dana.complaints, dana.strangers]).toEqual([[], [], []]);
  });

  test('is read again when it is over, also after a reading that failed', async () => {
    const tenant = await stage.panel.world.tenant();
    const soonMs = Date.now() + 15_000;
    await windowOf(tenant, {
      name: 'Freeze',
      durationMinutes: 5,
      startsAt: new Date(soonMs - 300_000).toISOString(),
    });
    await stage.panel.clock.advance(Math.max(0, Date.now() - stage.panel.clock.now().getTime()));
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/maintenance');
    await line(page, 'Freeze').getByText('It is on until').waitFor();
    const readings = await unanswered(page, 'MaintenanceWindows');
    await stage.panel.clock.advance(30_000);
    await expect.poll(readings.asked, { timeout: 60_000, interval: 250 }).toBeGreaterThan(0);
    await readings.mend();
    await line(page, 'Freeze').getByText('Off', { exact: true }).waitFor({ timeout: 60_000 });
    expect(await line(page, 'Freeze').getByText('It is on until').count()).toBe(0);
  });

  test('that is on now says until when, and is only looked at by whoever may not change it', async () => {
    const tenant = await stage.panel.world.tenant();
    await windowOf(tenant, {
      name: 'Freeze',
      startsAt: new Date(stage.panel.clock.now().getTime() - 60_000).toISOString(),
    });
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    await using vera = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await vera.signIn(tenant, '/maintenance');
    const row = line(page, 'Freeze');
    await row.getByText('On', { exact: true }).waitFor();
    await row.getByText(/It is on until .* It does not begin again\./).waitFor();
    expect(await page.locator('main').getByRole('button').count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
  });
});
