import type { Route } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';

import { firing } from '../fleet/alerts/support/panel.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { heading, Person } from './support/console.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 120_000 });

const stage = useStage(async () => startTestPanel());

const makeGroup = async (tenant: Tenant, name: string) =>
  dataOf(
    await tenant.graphql(
      'mutation ($name: String!) { createInstanceGroup(input: { name: $name, kind: LIVE, filter: { tags: ["shop"] } }) { id } }',
      { name },
    ),
  );

test.skipIf(!isChromiumThere)(
  'what an address asks for is text as it was written, also where it is digits',
  async () => {
    const tenant = await stage.panel.world.tenant();
    await tenant.node('rack-1.10');
    await tenant.node('rack-1.1');
    await tenant.node('rack-12345678901234567890');
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    for (const [asked, names] of [
      ['1.10', ['rack-1.10']],
      ['12345678901234567890', ['rack-12345678901234567890']],
      ['1', ['rack-1.1', 'rack-1.10', 'rack-12345678901234567890']],
    ] as const) {
      const page = await dana.signIn(tenant, `/instances?q=${asked}`);
      for (const name of names) await page.getByRole('row', { name: new RegExp(`${name} `) }).waitFor();
      await page.getByText(names.length === 1 ? '1 instance' : '3 instances', { exact: true }).waitFor();
      expect(await page.getByLabel('Name or host').inputValue()).toBe(asked);
      expect(new URL(page.url()).searchParams.get('q')).toBe(asked);
      await page.close();
    }
    expect(dana.complaints).toEqual([]);
  },
);

describe.skipIf(!isChromiumThere)('a list that is read page by page', () => {
  test('shows what is done to a row behind its first page', async () => {
    const tenant = await stage.panel.world.tenant();
    for (let at = 0; at < 27; at += 1) await makeGroup(tenant, `group-${at}`);
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/groups');
    const rows = page.getByRole('list', { name: 'Groups of instances' }).getByRole('listitem');
    await rows.nth(24).waitFor();
    expect(await rows.count()).toBe(25);
    await page.getByRole('button', { name: 'Show more' }).click();
    await rows.nth(26).waitFor();
    const name = (await rows.nth(26).locator('strong').textContent())!;
    await page.getByRole('button', { name: `Remove ${name}`, exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await rows.filter({ has: page.getByText(name, { exact: true }) }).waitFor({ state: 'detached' });
    expect(await rows.count()).toBe(26);
    // Who comes back finds as many.
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Overview' }).click();
    await heading(page, 'Overview');
    await page.goBack();
    await rows.nth(25).waitFor();
    expect(dana.complaints).toEqual([]);
  });

  test('that was read far is found again page by page, as far as it can be read', async () => {
    const tenant = await stage.panel.world.tenant();
    await makeGroup(tenant, 'group');
    await stage.panel.sql(
      `insert into fleet.instance_group select (jsonb_populate_record(g, jsonb_build_object(
         'id', g.id || n, 'name', 'group-' || n))).* from fleet.instance_group g, generate_series(101, 260) n
       where g.tenant_id = $1`,
      [tenant.id],
    );
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/groups');
    const rows = page.getByRole('list', { name: 'Groups of instances' }).getByRole('listitem');
    for (let pages = 1; pages < 7; pages += 1) {
      await rows.nth(pages * 25 - 1).waitFor();
      await page.getByRole('button', { name: 'Show more' }).click();
    }
    await rows.nth(160).waitFor();
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Overview' }).click();
    await heading(page, 'Overview');
    let readings = 0;
    await page.route('**/graphql', async (route) => {
      const { operationName } = route.request().postDataJSON() as { operationName?: string };
      if (operationName !== 'Groups') return route.fallback();
      readings += 1;
      return readings === 4 ? route.abort() : route.fallback();
    });
    await page.goBack();
    await page.getByRole('alert').filter({ hasText: 'can not be reached' }).waitFor();
    expect(await rows.count()).toBe(75);
    // Nobody has to press for the others.
    await rows.nth(124).waitFor();
    expect(await rows.count()).toBe(125);
    expect(dana.complaints).toEqual([]);
  });

  test('shows a reading that something was done during, and is read once more after it', async () => {
    const tenant = await stage.panel.world.tenant();
    for (const name of ['first', 'second', 'third']) await makeGroup(tenant, name);
    await using dana = await Person.come(stage.browser, stage.panel.panel.url);
    const page = await dana.signIn(tenant, '/groups');
    const rows = page.getByRole('list', { name: 'Groups of instances' }).getByRole('listitem');
    await rows.nth(2).waitFor();
    const held: Route[] = [];
    await page.route('**/graphql', async (route) => {
      const { operationName } = route.request().postDataJSON() as { operationName?: string };
      if (operationName !== 'Groups') return route.fallback();
      held.push(route);
    });
    for (const name of ['first', 'second']) {
      await page.getByRole('button', { name: `Remove ${name}`, exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
      await page.getByText(`${name} is removed.`).waitFor();
    }
    expect(held).toHaveLength(1);
    await held[0]!.continue();
    await expect.poll(async () => rows.count()).toBe(1);
    await expect.poll(() => held.length).toBe(2);
    await held[1]!.continue();
    expect(dana.complaints).toEqual([]);
  });

  test('an alert that is over is not among the active ones, wherever it ended', async () => {
    const tenant = await stage.panel.world.tenant();
    await using dana = await stage.person();
    const resolve = async (id: string) => tenant.rest(`/api/fleet/alerts/${id}/resolve`, { method: 'POST' });
    const { alert: before } = await firing(stage.panel, tenant, 'before-01');
    const { alert } = await firing(stage.panel, tenant, 'among-others');
    // More of them than a page shows, all newer.
    await stage.panel.sql(
      `insert into fleet.alert select (jsonb_populate_record(a, jsonb_build_object(
         'id', a.id || n, 'component', 'newer-' || n))).* from fleet.alert a, generate_series(101, 200) n
       where a.id = $1`,
      [alert.id],
    );
    await resolve(before.id);
    const page = await dana.signIn(tenant, '/alerts');
    const newest = page.getByRole('listitem').filter({ hasText: 'newer-200' });
    await newest.waitFor();
    await resolve(alert.id);
    await resolve(`${alert.id}200`);
    await newest.getByText('Resolved').waitFor();
    const shown = await page.getByRole('list', { name: 'Alerts' }).getByText('newer-').count();
    expect([shown, await page.getByRole('list', { name: 'Alerts' }).getByRole('listitem').count()]).toEqual([
      100, 100,
    ]);
    await page.getByLabel('State').selectOption({ label: 'Resolved' });
    await page.getByRole('listitem').filter({ hasText: 'before-01' }).waitFor();
    expect(dana.complaints).toEqual([]);
  });
});

describe.skipIf(!isChromiumThere)('an instance', () => {
  test('what is edited leaves the tags that somebody else has given meanwhile', async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await tenant.node();
    await using dana = await stage.person();
    const page = await dana.signIn(tenant, `/instances/${node.id}`);
    await page.getByRole('button', { name: 'Edit name and tags' }).press('Enter');
    await page.getByRole('dialog').getByLabel('Name').fill('renamed-02');
    await page.getByRole('dialog').getByLabel('Tags').fill('blue');
    const update = 'mutation($input: UpdateInstanceInput!) { updateInstance(input: $input) { id } }';
    dataOf(await tenant.graphql(update, { input: { id: node.id, tags: ['prod'] } }));
    await page.keyboard.press('Enter');
    await heading(page, 'renamed-02');
    const now = await tenant.graphql('query($id: ID!) { instance(id: $id) { name tags } }', { id: node.id });
    expect(dataOf(now)).toEqual({ instance: { name: 'renamed-02', tags: ['prod', 'blue'] } });
    expect(dana.complaints).toEqual([]);
  });
});
