import { AppsV1Api } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { systemClock } from '#platform/clock.js';
import { viewer } from '#sandbox/kubernetes/access.js';
import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { isRealCluster, startApiServer, type ApiServer } from '../support/api-server.js';
import { manifest } from '../support/deployment-manifest.js';
import { hasKubectl, Kubectl } from '../support/kubectl.js';

const text = (...of: Parameters<typeof manifest>) => JSON.stringify(manifest(...of));

const where = isRealCluster ? 'the cluster of KUBECONFIG' : 'the stand-in';

describe.skipIf(!hasKubectl)(`kubectl 1.35 on ${where}`, () => {
  let server: ApiServer;
  /** Undefined on a real cluster, where tests that need its levers are skipped. */
  let sandbox: KubernetesSandbox;
  let kubectl: Kubectl;
  beforeAll(async () => {
    server = await startApiServer(systemClock, 200);
    sandbox = server.sandbox!;
    kubectl = new Kubectl(server.kubeconfig, server.namespace);
  });
  afterAll(async () => {
    kubectl.stop();
    await server.stop();
  });

  test.skipIf(isRealCluster)('lists what there is, as tables and as objects', async () => {
    const nodes = await kubectl.run('get', 'nodes');
    expect(nodes.out.split('\n')[1]).toMatch(/^control-1 +Ready +control-plane +\d+s +v1\.35\.2$/);
    const resources = await kubectl.run('api-resources', '--no-headers', '-o', 'name');
    expect(resources.out.split('\n')).toContain('deployments.apps');
    const names = await kubectl.run('get', 'ns', '-o', 'jsonpath={.items[*].metadata.name}');
    expect(names.out).toContain('default kube-node-lease kube-public kube-system');
  });

  test('applies server-side, follows the rollout to its end, and is told who else owns what it wants to change', async () => {
    const args = ['apply', '--server-side', '-f', '-'];
    const first = await kubectl.with(text('web', 'nginx:1.27'), ...args, '--field-manager=first');
    expect(first).toMatchObject({ code: 0, out: 'deployment.apps/web serverside-applied\n' });
    const followed = await kubectl.run('rollout', 'status', 'deploy/web', '--timeout=20s');
    expect(followed).toMatchObject({ code: 0 });
    const listed = await kubectl.run('get', 'deploy', 'web', '--no-headers', '-o', 'wide');
    expect(listed.out).toMatch(/^web +2\/2 +2 +2 +\d+s +main +nginx:1\.27 +app=web\n$/);

    const other = await kubectl.with(text('web', 'nginx:1.28'), ...args, '--field-manager=second');
    expect(other.code).toBe(1);
    expect(other.err).toContain(
      'Apply failed with 1 conflict: conflict with "first": .spec.template.spec.containers[name="main"].image',
    );
    await kubectl.run('set', 'image', 'deploy/web', 'main=nginx:1.29');
    const again = await kubectl.with(text('web', 'nginx:1.28'), ...args, '--field-manager=first');
    expect(again.err).toMatch(/conflict with "kubectl-set" using apps\/v1 at .*Z: .*image/);
    const forced = await kubectl.with(
      text('web', 'nginx:1.28'),
      ...args,
      '--field-manager=first',
      '--force-conflicts',
    );
    expect(forced.code).toBe(0);
    expect((await kubectl.run('get', 'deploy', 'web', '-o', 'jsonpath={..image}')).out).toBe('nginx:1.28');
  });

  test('applies the old way, scales, and deletes in the foreground', async () => {
    await kubectl.with(text('old', 'nginx:1.27'), 'apply', '-f', '-');
    const changed = await kubectl.with(text('old', 'nginx:1.28'), 'apply', '-f', '-');
    expect(changed.out).toBe('deployment.apps/old configured\n');
    expect((await kubectl.run('scale', 'deploy/old', '--replicas=4')).code).toBe(0);
    expect((await kubectl.run('rollout', 'status', 'deploy/old', '--timeout=20s')).code).toBe(0);
    const apps = server.config.makeApiClient(AppsV1Api);
    const place = { name: 'old', namespace: server.namespace };
    expect(await apps.readNamespacedDeployment(place)).toMatchObject({
      spec: { replicas: 4 },
      status: { availableReplicas: 4 },
    });
    expect((await kubectl.run('delete', 'deploy', 'old', '--cascade=foreground')).code).toBe(0);
    await expect(apps.readNamespacedDeployment(place)).rejects.toMatchObject({ code: 404 });
  });

  test.skipIf(isRealCluster)('a rollout that does not come on exceeds its deadline', async () => {
    sandbox.breakImage('broken:1');
    await kubectl.with(text('stuck', 'broken:1', { deadline: 1 }), 'apply', '--server-side', '-f', '-');
    const followed = await kubectl.run('rollout', 'status', 'deploy/stuck', '--timeout=20s');
    expect(followed).toMatchObject({
      code: 1,
      err: 'error: deployment "stuck" exceeded its progress deadline\n',
    });
  });

  test.skipIf(isRealCluster)(
    'unknown fields are refused, and what the account may not do is forbidden',
    async () => {
      const odd = text('odd', 'nginx:1.27').replace('"replicas"', '"replicaz"');
      const refused = await kubectl.with(odd, 'apply', '--server-side', '-f', '-');
      expect(refused.err).toContain('strict decoding error: unknown field "spec.replicaz"');
      const access = sandbox.kubeconfig({ user: 'reader', rules: viewer, by: 'token' });
      const reader = new Kubectl(access, server.namespace);
      const forbidden = await reader.run('delete', 'deploy', 'web');
      reader.stop();
      expect(forbidden.err).toContain(
        'User "reader" cannot delete resource "deployments" in API group "apps" in the namespace "' +
          `${server.namespace}"`,
      );
      const rules = [{ verbs: ['get', 'list', 'patch'], resources: ['*'] }];
      const changer = new Kubectl(
        sandbox.kubeconfig({ user: 'changer', rules, by: 'token' }),
        server.namespace,
      );
      const apply = async (name: string) =>
        changer.with(text(name, 'nginx:1.27'), 'apply', '--server-side', '-f', '-', '--force-conflicts');
      await kubectl.with(text('there', 'nginx:1.26'), 'apply', '--server-side', '-f', '-');
      expect(await apply('there')).toMatchObject({ code: 0 });
      expect((await apply('new')).err).toContain('User "changer" cannot create resource "deployments"');
      changer.stop();
    },
  );
});
