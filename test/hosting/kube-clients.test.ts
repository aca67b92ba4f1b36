import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';

import { silentLogger } from '#platform/logger.js';
import { TargetGuard } from '#platform/outbound/guard.js';
import { Keyring } from '#platform/secrets/keyring.js';
import { startKubernetesSandbox } from '#sandbox/kubernetes/start.js';
import { KubeClients } from '#subgraphs/hosting/cluster/api/clients.js';
import { parseKubeconfig } from '#subgraphs/hosting/cluster/kubeconfig/parse.js';

import { TestClock } from '../support/clock.js';
import { manifest } from '../support/deployment-manifest.js';
import { testSecretsKey } from '../support/panel.js';
import { until } from '../support/world.js';

test('a watch goes on, and a call that is under way ends well, however many other clusters are called', async () => {
  const sandbox = await startKubernetesSandbox({ port: 0, clock: new TestClock(), logger: silentLogger });
  const guard = new TargetGuard({ allowPrivateTargets: ['127.0.0.1'], logger: silentLogger });
  const clients = new KubeClients(guard, Keyring.parse(testSecretsKey), { mostKept: 1 });
  const of = (id: string) => {
    const credential = parseKubeconfig(sandbox.kubeconfig({ user: id, by: 'token' }));
    return { tenantId: 'ten', id, sealedCredential: clients.seal(id, credential) };
  };
  const own = clients.own(of('one'));
  const path = '/apis/apps/v1/deployments';
  const next = own.client
    .watch(path, { timeoutSeconds: 300 }, new AbortController().signal, () => undefined)
    .next();
  await until(async () => sandbox.openWatches === 1, 'the watch');
  sandbox.addFault({ kind: 'delay', delayMs: 500, path: '/api/v1/nodes' });
  const under = clients.of(of('two')).get('/api/v1/nodes');
  for (const id of ['three', 'four']) await clients.of(of(id)).get('/version');
  await expect(under).resolves.toHaveProperty('items');
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
  const apps = config.makeApiClient(AppsV1Api);
  await apps.createNamespacedDeployment({ namespace: 'default', body: manifest('told', 'a:1') });
  await expect(next).resolves.toMatchObject({ value: { type: 'ADDED' } });
  await own.close();
  clients.close();
  await sandbox.stop();
});
