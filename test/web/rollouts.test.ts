import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { describe, expect, test, vi } from 'vitest';

import { startKubernetesPanel } from '../hosting/support/kubernetes-panel.js';
import { isChromiumThere } from '../identity/support/chromium.js';
import { tokenInRole } from '../support/roles.js';
import { appsOf, containerOf, run, sceneAt } from './support/clusters.js';
import { nothingWrong, press, tabTo } from './support/console.js';
import { open } from './support/editing.js';
import { wrongWith } from './support/fits.js';
import { passUntil } from './support/passing.js';
import { useStage } from './support/stage.js';

// Clusters are looked at every ten seconds of the panel's clock, which a busy machine moves slowly.
vi.setConfig({ testTimeout: 180_000 });

const stage = useStage(async () => startKubernetesPanel());
const { at } = stage;

describe.skipIf(!isChromiumThere)('one deployment', () => {
  test('is restarted, and rolled back to what its history has, whatever others own of it', async () => {
    const here = await sceneAt(stage.panel);
    const { sandbox, tenant } = here;
    const id = await run(here, 'blog', { env: { MODE: 'slow' } });
    const { status } = await tenant.rest(`/api/k8s/deployments/${id}`, {
      method: 'PUT',
      body: { image: 'nginx:1.28', env: { MODE: 'fast' } },
    });
    expect(status).toBe(200);
    expect(
      await at(tenant, `/kubernetes/deployments/${id}`, async (page) => {
        await passUntil(stage.panel, page.locator('main').getByText('Running', { exact: true }));
        await open(page, 'Restart blog', 'Restart blog?');
        expect(await wrongWith(page)).toEqual([]);
        await press(page, 'Restart');
        await page.getByText('blog is being restarted.').waitFor();
        const lines = page.getByRole('list', { name: 'Revisions' }).getByRole('listitem');
        await expect.poll(async () => lines.count()).toBe(3);
        await lines.nth(0).getByText('Revision 3 is what is wanted now.').waitFor();
        await lines.nth(0).getByText('Restarted by Owner').waitFor();
        await lines.nth(1).getByText('changed: image, the variable MODE').waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await appsOf(sandbox).patchNamespacedDeployment(
          {
            name: 'blog',
            namespace: 'default',
            fieldManager: 'kubectl-set',
            body: { spec: { template: { spec: { containers: [{ name: 'blog', image: 'nginx:1.30' }] } } } },
          },
          setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
        );
        await open(page, 'Roll back to revision 1', 'Roll back to revision 1?');
        await press(page, 'Roll back');
        const owned = page.getByRole('group', { name: 'Others own what this would change' });
        await owned.getByText('kubectl-set').waitFor();
        expect(await wrongWith(page)).toEqual([]);
        await tabTo(page, 'Take that from them');
        await page.keyboard.press('Space');
        await press(page, 'Roll back');
        await page.getByText('It is being rolled back to revision 1.').waitFor();
        await expect.poll(async () => lines.count()).toBe(4);
        await lines.nth(0).getByText('Rolled back to revision 1 by Owner').waitFor();
        expect(await containerOf(here, 'blog')).toEqual({
          replicas: 2,
          image: 'nginx:1.27',
          env: { MODE: 'slow' },
        });
        await page.goto(`${stage.panel.panel.url}/`);
        await page.getByText('rolled back').first().waitFor();
      }),
    ).toEqual(nothingWrong);
    await tokenInRole(stage.panel, tenant, 'VIEWER');
    expect(
      await at(tenant, `/kubernetes/deployments/${id}`, async (page) => {
        await page.getByText('Rolled back to revision 1').waitFor();
        expect(await page.getByRole('button', { name: /^(Restart|Roll back)/ }).count()).toBe(0);
      }),
    ).toEqual(nothingWrong);
  });
});
