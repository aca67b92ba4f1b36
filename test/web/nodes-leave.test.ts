import { describe, expect, test, vi } from 'vitest';

import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { faultsOf } from './support/axe.js';
import { nothingWrong, press, tabTo, visit } from './support/console.js';
import { fits, retype } from './support/editing.js';
import { useStage } from './support/stage.js';

vi.setConfig({ testTimeout: 240_000 });

const stage = useStage(async () => startTestPanel());

describe.skipIf(!isChromiumThere)('a node that is in the fleet', () => {
  test('is let back in by a token that is shown once, gets another credential, and leaves for good', async () => {
    const tenant = await stage.panel.world.tenant();
    const lost = await tenant.node('lost-01');
    const old = await tenant.node('old-01');
    expect(
      await visit(stage.browser, stage.panel.panel.url, {
        who: tenant,
        path: '/enrollment',
        work: async (page) => {
          const here = page.getByRole('list', { name: 'Nodes that are here' }).getByRole('listitem');
          await page.getByText('None has left the fleet.').waitFor();
          await expect.poll(async () => here.count()).toBe(2);
          await tabTo(page, 'Name or host of the node', 120);
          await page.keyboard.insertText('lost');
          await page.getByText('1 node', { exact: true }).waitFor();

          await press(page, 'Let it back in: lost-01', 'Let it back in');
          await page.getByRole('dialog', { name: 'Token for lost-01' }).waitFor();
          expect(await faultsOf(page)).toEqual([]);
          const pasted = await page.getByLabel('Line to paste', { exact: true }).inputValue();
          await press(page, 'I have copied it');
          const token = pasted.split('--token ')[1]!;
          expect(token).toMatch(/^flt_/);
          expect(await page.content()).not.toContain(token);
          const input = {
            token,
            name: 'lost-01',
            hostname: 'lost-01.test',
            version: '0.2.0',
          };
          const back = await stage.panel.world.graphql<{ enrollInstance: { instanceId: string } }>(
            'mutation($input: EnrollInstanceInput!) { enrollInstance(input: $input) { instanceId } }',
            { input },
          );
          expect(dataOf(back).enrollInstance.instanceId).toBe(lost.id);

          await press(page, 'Other credential for lost-01', 'Other credential');
          await page.getByText('lost-01 gets another credential with its next beat.').waitFor();

          await retype(page, 'Name or host of the node', 'old');
          await press(page, 'Take out of the fleet: old-01', 'Take out of the fleet');
          await page.getByText('No node is called so.').waitFor();
          const left = page.getByRole('list', { name: 'Nodes that have left' }).getByRole('listitem');
          await left.filter({ hasText: 'old-01' }).waitFor();
          await fits(page);
          expect((await old.beat()).status).toBe(401);
        },
      }),
    ).toEqual(nothingWrong);
  });

  test('is taken out by nobody who may only look', async () => {
    const tenant = await stage.panel.world.tenant();
    await tenant.node('here-01');
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await visit(stage.browser, stage.panel.panel.url, {
        who: tenant,
        path: '/enrollment',
        work: async (page) => {
          await page.getByText('None has left the fleet.').waitFor();
          expect(await page.getByRole('heading', { name: 'Nodes that are here' }).count()).toBe(0);
        },
      }),
    ).toEqual(nothingWrong);
  });
});
