import { AppsV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { isRealCluster, startApiServer, type ApiServer } from '../support/api-server.js';
import { hasKubectl, Kubectl } from '../support/kubectl.js';
import { type Tenant } from '../support/world.js';
import { registerOverRest, startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';

interface Body {
  id: string;
  status: string;
  details?: Record<string, unknown>;
}

const timeout = 300_000;

// Nothing here asks for more than Kubernetes promises: with KUBECONFIG set it runs against that cluster.
describe(`the panel on ${isRealCluster ? 'the cluster of KUBECONFIG' : 'a stand-in'}`, () => {
  let panel: KubernetesPanel;
  let server: ApiServer;
  let tenant: Tenant;
  let clusterId: string;
  let apps: AppsV1Api;
  beforeAll(async () => {
    // A real one may be anywhere.
    panel = await startKubernetesPanel(isRealCluster ? { ALLOW_PRIVATE_TARGETS: '0.0.0.0/0,::/0' } : {});
    server = await startApiServer(panel.clock);
    apps = server.config.makeApiClient(AppsV1Api);
    tenant = await panel.world.tenant();
    const { status, body, text } = await registerOverRest(tenant, server.kubeconfig);
    if (status !== 201) throw new Error(`${status} ${text}`);
    clusterId = body.id;
  }, timeout);
  afterAll(async () => {
    await server.stop();
    await panel.stop();
  });

  const create = async (name: string, image: string) =>
    tenant.rest<Body>('/api/k8s/deployments', {
      body: { cluster_id: clusterId, namespace: server.namespace, name, image, replicas: 1 },
    });
  const change = async (id: string, body: object) =>
    tenant.rest<Body>(`/api/k8s/deployments/${id}`, { method: 'PUT', body });
  const statusOf = async (id: string) => (await tenant.rest<Body>(`/api/k8s/deployments/${id}`)).body.status;
  const reaches = async (id: string, status: string) => {
    for (const end = Date.now() + 120_000; (await statusOf(id)) !== status;) {
      if (Date.now() > end) throw new Error(`waited in vain for ${status}`);
      await panel.seconds(1);
      // A real one goes by its own time.
      if (isRealCluster) await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  };

  test.skipIf(!hasKubectl)(
    'deploys, follows the rollout, changes and deletes, and a current kubectl lists it',
    { timeout },
    async () => {
      const { status, body } = await create('web', 'nginx:1.27');
      expect(status).toBe(201);
      await reaches(body.id, 'running');
      const kubectl = new Kubectl(server.kubeconfig, server.namespace);
      const { out } = await kubectl.run('get', 'deploy', 'web', '--no-headers');
      kubectl.stop();
      expect(out).toMatch(/^web +1\/1 +1 +1 +/);
      expect((await change(body.id, { replicas: 2 })).status).toBe(200);
      await reaches(body.id, 'running');
      const { spec } = await apps.readNamespacedDeployment({ name: 'web', namespace: server.namespace });
      expect(spec?.replicas).toBe(2);
      expect((await tenant.rest(`/api/k8s/deployments/${body.id}`, { method: 'DELETE' })).status).toBe(204);
      await reaches(body.id, 'deleted');
      await expect(
        apps.readNamespacedDeployment({ name: 'web', namespace: server.namespace }),
      ).rejects.toMatchObject({ code: 404 });
    },
  );

  test(
    'names the manager and the field of a conflict, and takes over when it is told',
    { timeout },
    async () => {
      const { body } = await create('shared', 'nginx:1.27');
      await apps.patchNamespacedDeployment(
        {
          name: 'shared',
          namespace: server.namespace,
          fieldManager: 'somebody',
          body: { spec: { template: { spec: { containers: [{ name: 'shared', image: 'nginx:1.28' }] } } } },
        },
        setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
      );
      const field = '.spec.template.spec.containers[name="shared"].image';
      expect(await change(body.id, { image: 'nginx:1.29' })).toMatchObject({
        status: 409,
        body: { details: { conflicts: [{ manager: 'somebody', field }] } },
      });
      expect((await change(body.id, { image: 'nginx:1.29', takes_over: true })).status).toBe(200);
      const { spec } = await apps.readNamespacedDeployment({ name: 'shared', namespace: server.namespace });
      expect(spec?.template.spec?.containers[0]?.image).toBe('nginx:1.29');
    },
  );

  test(
    'a change of one that was deleted in the cluster meanwhile does not bring it back',
    { timeout },
    async () => {
      const { body } = await create('ended', 'nginx:1.27');
      const [row] = await panel.sql<{ uid: string }>('select uid from hosting.deployment where id = $1', [
        body.id,
      ]);
      const { metadata } = await apps.readNamespacedDeployment({
        name: 'ended',
        namespace: server.namespace,
      });
      expect(row?.uid).toBe(metadata?.uid);
      await apps.deleteNamespacedDeployment({ name: 'ended', namespace: server.namespace });
      expect([404, 409]).toContain((await change(body.id, { replicas: 3 })).status);
      await reaches(body.id, 'deleted');
      await expect(
        apps.readNamespacedDeployment({ name: 'ended', namespace: server.namespace }),
      ).rejects.toMatchObject({ code: 404 });
    },
  );

  test('refuses what the cluster refuses, and leaves nothing of it', { timeout }, async () => {
    const lost = await tenant.rest<Body>('/api/k8s/deployments', {
      body: { cluster_id: clusterId, namespace: 'there-is-none', name: 'lost', image: 'nginx:1' },
    });
    expect(lost).toMatchObject({
      status: 422,
      body: { details: { namespace: expect.any(String) as unknown } },
    });
    const { body } = await tenant.rest<{ name: string }[]>(`/api/k8s/deployments?cluster_id=${clusterId}`);
    expect(body.map(({ name }) => name)).not.toContain('lost');
  });
});
