import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';

import { startKubernetesPanel } from '../hosting/support/kubernetes-panel.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { dataOf } from '../support/answers.js';
import { manifest } from '../support/deployment-manifest.js';
import { tokenInRole } from '../support/roles.js';
import { appsOf, containerOf, run, sceneAt } from './support/clusters.js';
import { heading, nothingWrong, press, tabTo } from './support/console.js';
import { open, retype } from './support/editing.js';
import { wrongWith } from './support/fits.js';
import { passUntil } from './support/passing.js';
import { useStage } from './support/stage.js';

// Clusters are looked at every ten seconds of the panel's clock, which a busy machine moves slowly.
vi.setConfig({ testTimeout: 180_000 });

const stage = useStage(async () => startKubernetesPanel());
const { at } = stage;
const scene = async () => sceneAt(stage.panel);

const seen = (page: Page, text: string | RegExp) => page.getByText(text).first();

describe.skipIf(!isChromiumThere)('one cluster', () => {
  test('shows how it is and why, what runs in it, and which policies hold, as all that changes', async () => {
    const here = await scene();
    const { tenant, sandbox, clusterId } = here;
    await run(here, 'shop');
    await tenant.rest('/api/governance/policies', {
      body: {
        name: 'A newer version',
        type: 'clusters',
        rule: { condition: 'cluster.version', operator: 'gte', value: '1.36' },
        enforcement: 'advisory',
        applies_to: 'all_instances',
      },
    });
    expect(
      await at(tenant, '/kubernetes', async (page) => {
        await press(page, 'main');
        await heading(page, 'main');
        expect(page.url()).toBe(`${stage.panel.panel.url}/kubernetes/${clusterId}`);
        await page.getByText('3 of 3').waitFor();
        await page.getByText('cluster.version is "1.35"; it takes gte "1.36"').waitFor();
        await page.getByRole('listitem').filter({ hasText: 'default/shop' }).waitFor();
        expect(await wrongWith(page)).toEqual([]);
        sandbox.setUnready('etcd failed');
        await passUntil(stage.panel, seen(page, 'Not ready'));
        await page.locator('main').getByText('Degraded', { exact: true }).waitFor();
        await page.getByText('look at its control plane').waitFor();
        sandbox.setUnready('');
        await passUntil(stage.panel, page.locator('main').getByText('Healthy', { exact: true }));
      }),
    ).toEqual(nothingWrong);
  });

  test('is renamed, gets another credential of the same cluster only, and is removed once that is confirmed twice', async () => {
    const here = await scene();
    const { tenant, sandbox, clusterId } = here;
    await run(here, 'left');
    const another = await stage.panel.kubernetes();
    expect(
      await at(tenant, `/kubernetes/${clusterId}`, async (page) => {
        await page.getByLabel('Name of the cluster').fill('renamed');
        await page.keyboard.press('Enter');
        await heading(page, 'renamed');
        await tabTo(page, 'Kubeconfig', 120);
        await page.keyboard.insertText(another.kubeconfig({ by: 'token' }));
        await press(page, 'Take this credential');
        await page.getByRole('alert').filter({ hasText: 'another cluster' }).waitFor();
        const forMs = 3 * 86_400_000;
        await page.getByLabel('Kubeconfig').fill(sandbox.kubeconfig({ user: 'next', by: 'token', forMs }));
        await press(page, 'Take this credential');
        await page.getByText('The credential is replaced.').waitFor();
        await passUntil(stage.panel, seen(page, 'Credential ending'));
        await press(page, 'Remove renamed', 'Remove');
        await tabTo(page, 'Remove renamed and leave its deployments', 120);
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await press(page, 'Remove it and leave them');
        await heading(page, 'Kubernetes');
        await page.getByText('None is known yet.').waitFor();
        await page.goto(`${stage.panel.panel.url}/kubernetes/${clusterId}`);
        await heading(page, 'There is no such page');
      }),
    ).toEqual(nothingWrong);
  });
});

describe.skipIf(!isChromiumThere)('one deployment', () => {
  test('shows what is wanted and what is there, is scaled, keeps variables that no change names, and is deleted', async () => {
    const here = await scene();
    const id = await run(here, 'web', { env: { MODE: 'slow', OLD: 'gone', KEY: 'sealed' } });
    expect(
      await at(here.tenant, '/kubernetes', async (page) => {
        await press(page, 'default/web');
        await heading(page, 'web');
        expect(page.url()).toBe(`${stage.panel.panel.url}/kubernetes/deployments/${id}`);
        await passUntil(stage.panel, page.locator('.meter', { hasText: 'Available' }).getByText('2 of 2'));
        expect(await wrongWith(page)).toEqual([]);
        await tabTo(page, 'Take away OLD');
        await page.keyboard.press('Space');
        await retype(page, 'Environment variables', 'MODE=fast\nNEW=here');
        await retype(page, 'Replicas', '3');
        await page.keyboard.press('Enter');
        await passUntil(stage.panel, page.locator('.meter', { hasText: 'Ready' }).getByText('3 of 3'));
        // Other variables are other pods, which take the place of the first ones one after another.
        await passUntil(stage.panel, page.locator('main').getByText('Running', { exact: true }));
        const { env } = await containerOf(here, 'web');
        expect(env).toEqual({ MODE: 'fast', KEY: 'sealed', NEW: 'here' });
        const taken = page.getByRole('group', { name: 'Variables that it has' }).getByRole('checkbox');
        await expect.poll(async () => taken.count()).toBe(3);
        await press(page, 'Delete web', 'Delete');
        await heading(page, 'Kubernetes');
        await passUntil(stage.panel, page.getByRole('link', { name: 'default/web' }), 'detached');
      }),
    ).toEqual(nothingWrong);
  });

  test('tells of its pods why they do not come up, and shows what they have written', async () => {
    const here = await scene();
    here.sandbox.breakImage('hungry:1', 'CrashLoopBackOff');
    here.sandbox.writeLog('hungry:1', 'reading all of it\n', 'out of memory at row 7\n');
    const id = await run(here, 'hungry', { image: 'hungry:1' });
    const path = `/kubernetes/deployments/${id}`;
    expect(
      await at(here.tenant, path, async (page) => {
        const pods = page.getByRole('region', { name: 'Pods' });
        await passUntil(stage.panel, pods.getByText('CrashLoopBackOff').first());
        await pods.getByText('ended last with OOMKilled (exit code 137)').first().waitFor();
        const line = pods.getByRole('listitem').first();
        await line.getByRole('button', { name: /^Log of hungry-/ }).click();
        await line.getByText('reading all of it').waitFor();
        await line.getByRole('checkbox').check();
        await line.getByText('out of memory at row 7').waitFor();
        expect(await wrongWith(page)).toEqual([]);
      }),
    ).toEqual(nothingWrong);
    await tokenInRole(stage.panel, here.tenant, 'VIEWER');
    expect(
      await at(here.tenant, path, async (page) => {
        await page.getByRole('region', { name: 'Pods' }).getByText('CrashLoopBackOff').first().waitFor();
        expect(await page.getByRole('button', { name: /^Log of/ }).count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });

  test('of a placement is changed with all others of it', async () => {
    const { tenant, sandbox } = await scene();
    await tenant.graphql(
      `mutation ($env: JSON) { placeDeployment(input: { name: "shop", image: "nginx:1.27", tag: "prod", env: $env }) { id } }`,
      { env: { KEY: 'sealed', OLD: 'gone' } },
    );
    expect(
      await at(tenant, '/kubernetes', async (page) => {
        const line = page.getByRole('list', { name: 'Placements' }).getByRole('listitem').first();
        await passUntil(stage.panel, line.getByText('Placed', { exact: true }).first());
        await open(page, 'Change shop', 'Change shop');
        await tabTo(page, 'Take away OLD');
        await page.keyboard.press('Space');
        await retype(page, 'Environment variables', 'NEW=here');
        await retype(page, 'Image', 'nginx:1.28');
        await page.keyboard.press('Enter');
        await page.getByText('shop is being changed, from its first partition on.').waitFor();
        await line.getByText('nginx:1.28').waitFor();
        await passUntil(stage.panel, line.getByText('Placed', { exact: true }).first());
        const env = { KEY: 'sealed', NEW: 'here' };
        expect(await containerOf({ sandbox }, 'shop')).toEqual({ replicas: 1, image: 'nginx:1.28', env });
      }),
    ).toEqual(nothingWrong);
  });

  test('keeps the image that a colleague has deployed when it is scaled', async () => {
    const here = await scene();
    const id = await run(here, 'colleagues');
    expect(
      await at(here.tenant, `/kubernetes/deployments/${id}`, async (page) => {
        await passUntil(stage.panel, page.locator('.meter', { hasText: 'Available' }).getByText('2 of 2'));
        await retype(page, 'Replicas', '3');
        dataOf(
          await here.tenant.graphql(
            'mutation ($id: ID!) { updateDeployment(id: $id, input: { image: "nginx:1.28" }) { id } }',
            { id },
          ),
        );
        await page.locator('dd', { hasText: 'nginx:1.28' }).waitFor();
        await expect.poll(async () => page.getByLabel('Image').inputValue()).toBe('nginx:1.28');
        expect(await page.getByRole('spinbutton', { name: 'Replicas' }).inputValue()).toBe('3');
        await press(page, 'Change it');
        await passUntil(stage.panel, page.locator('.meter', { hasText: 'Ready' }).getByText('3 of 3'));
      }),
    ).toEqual(nothingWrong);
    expect(JSON.stringify(here.sandbox.deployment('default', 'colleagues')?.spec)).toContain('nginx:1.28');
  });

  test('names who else owns what a change would change, and takes it over when that is wanted', async () => {
    const here = await scene();
    const { sandbox, tenant } = here;
    const id = await run(here, 'shared');
    await appsOf(sandbox).patchNamespacedDeployment(
      {
        name: 'shared',
        namespace: 'default',
        fieldManager: 'kubectl-set',
        body: { spec: { template: { spec: { containers: [{ name: 'shared', image: 'nginx:1.30' }] } } } },
      },
      setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
    );
    const imageThere = () => JSON.stringify(sandbox.deployment('default', 'shared')?.spec);
    expect(
      await at(tenant, `/kubernetes/deployments/${id}`, async (page) => {
        await passUntil(stage.panel, seen(page, 'nginx:1.30'));
        await retype(page, 'Image', 'nginx:1.31');
        await page.keyboard.press('Enter');
        const owned = page.getByRole('group', { name: 'Others own what this would change' });
        await owned.getByText('kubectl-set').waitFor();
        expect(await wrongWith(page)).toEqual([]);
        expect(await page.getByLabel('Image').inputValue()).toBe('nginx:1.31');
        expect(imageThere()).toContain('nginx:1.30');
        await tabTo(page, 'Take that from them');
        await page.keyboard.press('Space');
        await press(page, 'Change it');
        await page.getByText('It is being changed.').waitFor();
        await page.locator('dd', { hasText: 'nginx:1.31' }).waitFor();
        expect(imageThere()).toContain('nginx:1.31');
        expect(await owned.count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });

  test('that others made is looked at only, and none is there for strangers', async () => {
    const here = await scene();
    const { sandbox, tenant, clusterId } = here;
    const id = await run(here, 'ours');
    await appsOf(sandbox).createNamespacedDeployment({
      namespace: 'default',
      body: manifest('theirs', 'theirs:1'),
    });
    const stranger = await stage.panel.world.tenant();
    expect(
      await at(stranger, `/kubernetes/deployments/${id}`, async (page) => {
        await heading(page, 'There is no such page');
        await page.goto(`${stage.panel.panel.url}/kubernetes/${clusterId}`);
        await heading(page, 'There is no such page');
      }),
    ).toEqual(nothingWrong);
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await at(tenant, `/kubernetes/${clusterId}`, async (page) => {
        await passUntil(stage.panel, seen(page, 'default/theirs'));
        expect(await page.getByRole('button', { name: /main/ }).count()).toBe(0);
        await press(page, 'default/theirs');
        await heading(page, 'theirs');
        await page.getByText('The panel did not make it').waitFor();
        expect(await page.getByRole('button', { name: /^(Change|Delete)/ }).count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});
