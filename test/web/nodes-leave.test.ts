import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';

import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { startTestPanel } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import { faultsOf } from './support/axe.js';
import { choose, nothingWrong, press, tabTo, visit } from './support/console.js';
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

  test('leads to the enrollment token that it came in by, and to all tokens from there', async () => {
    const tenant = await stage.panel.world.tenant();
    const node = await tenant.node('found-01');
    const path = `/instances/${node.id}`;
    const work = async (page: Page) => {
      await press(page, 'Its enrollment token');
      const token = page.getByRole('region', { name: 'The token that it came in by' });
      await token.getByText('Used 1 time').waitFor();
      expect(await page.getByLabel('Name or host of the node').inputValue()).toBe('found-01');
      await page.getByText('1 node', { exact: true }).waitFor();
      await press(page, 'All tokens');
      await token.waitFor({ state: 'detached' });
      await page.goto(`${stage.panel.panel.url}/enrollment?token=etk_gone`);
      await token.getByText('It is kept no more.').waitFor();
    };
    expect(await visit(stage.browser, stage.panel.panel.url, { who: tenant, path, work })).toEqual(
      nothingWrong,
    );
  });

  test('has a licence whose state, end and next step are told, by its name and as far as it is asked for', async () => {
    const tenant = await stage.panel.world.tenant();
    const [paid, ended] = [await tenant.node('paid-01'), await tenant.node('ended-01')];
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    const path = '/licences';
    const work = async (page: Page) => {
      const rows = page.getByRole('list', { name: 'Licences of instances' }).getByRole('listitem');
      await rows.nth(1).waitFor();
      await rows.filter({ hasText: 'ended-01' }).getByText('Nothing is to be done').waitFor();
      await stage.panel.sql(
        `insert into billing.entitlement (tenant_id, version, plan, features, limits, is_read_only)
         values ($1, 1, 'FREE', '{}', '{}', true) on conflict (tenant_id) do update set is_read_only = true`,
        [tenant.id],
      );
      await stage.panel.sql(
        `update billing.licence set expires_at = $1::timestamptz - interval '1 day' where instance_id = $2`,
        [stage.panel.clock.now(), ended.id],
      );
      await page.reload();
      await rows
        .filter({ hasText: 'paid-01' })
        .getByText('Unless that is made it is not issued anew')
        .waitFor();
      const over = rows.filter({ hasText: 'ended-01' });
      await over.getByText('It is issued anew within minutes once that is made.').waitFor();
      await over.getByRole('link', { name: 'See the billing' }).waitFor();
      await choose(page, 'Show', 'Those that have ended');
      await rows.filter({ hasText: 'paid-01' }).waitFor({ state: 'detached' });
      expect(new URL(page.url()).search).toBe('?status=EXPIRED');
      await fits(page);
      await choose(page, 'Show', 'Those that hold');
      await rows.getByRole('link', { name: 'paid-01' }).press('Enter');
      await page.waitForURL((url) => url.pathname === `/instances/${paid.id}`);
      await page.getByRole('link', { name: 'All licences' }).waitFor();
      // Everybody finds it behind "More".
      await press(page, 'More');
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Licences' }).waitFor();
    };
    expect(await visit(stage.browser, stage.panel.panel.url, { who: tenant, path, work })).toEqual(
      nothingWrong,
    );
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
