import type { Route } from 'playwright-core';
import { describe, expect, test } from 'vitest';

import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import type { Tenant } from '../support/world.js';
import { Person } from './support/console.js';
import { useStage } from './support/stage.js';

const stage = useStage(async () => startTestPanel());

const makeGroup = async (tenant: Tenant, name: string) =>
  dataOf(
    await tenant.graphql(
      'mutation ($name: String!) { createInstanceGroup(input: { name: $name, kind: LIVE, filter: { tags: ["shop"] } }) { id } }',
      { name },
    ),
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
});
