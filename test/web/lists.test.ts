import { describe, expect, test } from 'vitest';

import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { Person } from './support/console.js';
import { useStage } from './support/stage.js';

const stage = useStage(async () => startTestPanel());

describe.skipIf(!isChromiumThere)('a list that is read page by page', () => {
  test('shows what is done to a row behind its first page', async () => {
    const tenant = await stage.panel.world.tenant();
    for (let at = 0; at < 27; at += 1) {
      dataOf(
        await tenant.graphql(
          'mutation ($name: String!) { createInstanceGroup(input: { name: $name, kind: LIVE, filter: { tags: ["shop"] } }) { id } }',
          { name: `group-${at}` },
        ),
      );
    }
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
});
