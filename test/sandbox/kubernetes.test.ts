import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  Watch,
  type V1Deployment,
} from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { deployment as deploymentSchema } from '#sandbox/kubernetes/schema/deployment.js';
import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { isRealCluster, startApiServer, type ApiServer } from '../support/api-server.js';
import { TestClock } from '../support/clock.js';
import { manifest } from '../support/deployment-manifest.js';
import { vendorFile } from '../support/openapi.js';
import { until } from '../support/world.js';
import { Description } from './support/kubernetes-description.js';

describe(`@kubernetes/client-node on ${isRealCluster ? 'the cluster of KUBECONFIG' : 'the stand-in'}`, () => {
  const clock = new TestClock();
  let server: ApiServer;
  let sandbox: KubernetesSandbox;
  let config: KubeConfig;
  let apps: AppsV1Api;
  let namespace: string;
  beforeAll(async () => {
    server = await startApiServer(clock);
    ({ config, namespace } = server);
    // Tests of the stand-in alone are skipped where there is none.
    sandbox = server.sandbox!;
    apps = config.makeApiClient(AppsV1Api);
  });
  afterAll(async () => server.stop());

  const apply = async (
    name: string,
    body: object,
    more: { dryRun?: string; force?: boolean; fieldManager?: string } = {},
  ) =>
    apps.patchNamespacedDeployment(
      { name, namespace, body, fieldManager: 'panel', ...more },
      setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
    );

  test('what a manager leaves out of its next apply is gone, unless somebody else owns it too', async () => {
    await apply('owned', manifest('owned', 'a:1', { replicas: 3 }));
    const { spec, ...rest } = manifest('owned', 'a:1', { replicas: 3 });
    await apply('owned', { ...rest, spec }, { fieldManager: 'helper' });
    const { replicas: _replicas, ...without } = spec;
    const container = { ...spec.template.spec.containers[0]!, env: [{ name: 'B', value: 'b' }] };
    const template = { ...spec.template, spec: { containers: [container] } };
    const kept = await apply('owned', { ...rest, spec: { ...without, template } });
    expect(kept.spec?.replicas).toBe(3);
    expect(kept.spec?.template.spec?.containers[0]?.env).toEqual([
      { name: 'A', value: 'a' },
      { name: 'B', value: 'b' },
    ]);
    await apply('owned', { ...rest, spec: { ...without, template } }, { fieldManager: 'helper' });
    const gone = await apps.readNamespacedDeployment({ name: 'owned', namespace });
    expect(gone.spec?.replicas).toBe(1);
    expect(gone.spec?.template.spec?.containers[0]?.env).toEqual([{ name: 'B', value: 'b' }]);
  });

  test('a dry run answers what would be and changes nothing; applying the same again changes nothing either', async () => {
    const dry = await apply('dry', manifest('dry', 'a:1'), { dryRun: 'All' });
    expect(dry.spec?.template.spec?.containers[0]?.imagePullPolicy).toBe('IfNotPresent');
    await expect(apps.readNamespacedDeployment({ name: 'dry', namespace })).rejects.toMatchObject({
      code: 404,
    });
    const first = await apply('dry', manifest('dry', 'a:1'));
    const second = await apply('dry', manifest('dry', 'a:1'));
    expect(second.metadata?.resourceVersion).toBe(first.metadata?.resourceVersion);
  });

  test('a conflict names each manager and field; a broken rule each field', async () => {
    await apply('taken', manifest('taken', 'a:1', { replicas: 2 }), { fieldManager: 'other' });
    const conflict: unknown = await apply('taken', manifest('taken', 'a:2', { replicas: 3 })).catch(
      (error: unknown) => error,
    );
    expect(conflict).toBeInstanceOf(ApiException);
    const status = JSON.parse(String((conflict as ApiException<unknown>).body)) as {
      reason: string;
      details: { causes: unknown[] };
    };
    expect(status.reason).toBe('Conflict');
    expect(status.details.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "other"', field: '.spec.replicas' },
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "other"',
        field: '.spec.template.spec.containers[name="main"].image',
      },
    ]);
    const bad = manifest('bad', '');
    const invalid: unknown = await apply('bad', bad).catch((error: unknown) => error);
    expect(JSON.parse(String((invalid as ApiException<unknown>).body))).toMatchObject({
      code: 422,
      details: {
        causes: [{ field: 'spec.template.spec.containers[0].image', reason: 'FieldValueRequired' }],
      },
    });
  });

  test.skipIf(isRealCluster)(
    'a rollout goes on by the clock, keeps as many pods as it must, and fails when its deadline has passed',
    async () => {
      await apply('roll', manifest('roll', 'a:1', { replicas: 4, deadline: 30 }));
      await clock.advance(3_000);
      expect(sandbox.deployment(namespace, 'roll')?.status).toMatchObject({
        observedGeneration: 1,
        availableReplicas: 4,
      });
      sandbox.breakImage('bad:1');
      await apply('roll', manifest('roll', 'bad:1', { replicas: 4, deadline: 30 }));
      expect(sandbox.deployment(namespace, 'roll')?.status).toMatchObject({ observedGeneration: 1 });
      await clock.advance(29_000);
      const slow = sandbox.deployment(namespace, 'roll')?.status;
      expect(slow).toMatchObject({ observedGeneration: 2, availableReplicas: 3, updatedReplicas: 2 });
      expect(slow?.['conditions']).toContainEqual(
        expect.objectContaining({ type: 'Progressing', status: 'True' }),
      );
      await clock.advance(3_000);
      expect(sandbox.deployment(namespace, 'roll')?.status?.['conditions']).toContainEqual(
        expect.objectContaining({ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }),
      );
      sandbox.mendImage('bad:1');
      await clock.advance(5_000);
      expect(sandbox.deployment(namespace, 'roll')?.status).toMatchObject({
        availableReplicas: 4,
        updatedReplicas: 4,
      });
    },
  );

  const follow = async (resourceVersion: string | undefined) => {
    const seen: string[] = [];
    const ended: unknown[] = [];
    const controller = await new Watch(config).watch(
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
      { allowWatchBookmarks: true, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      (phase: string, object: V1Deployment & { code?: number }) =>
        seen.push(`${phase} ${object.metadata?.name ?? object.code ?? ''}`.trim()),
      (error) => ended.push(error),
    );
    return { seen, ended, stop: () => controller.abort() };
  };

  test('a watch tells changes since a version', async () => {
    const { metadata } = await apps.listNamespacedDeployment({ namespace });
    const since = await follow(metadata?.resourceVersion);
    await apply('seen', manifest('seen', 'a:1'));
    await until(async () => since.seen.length > 0, 'the new one');
    await apps.deleteNamespacedDeployment({ name: 'seen', namespace });
    await until(async () => since.seen.at(-1) === 'DELETED seen', 'its end');
    since.stop();
    expect(since.seen[0]).toBe('ADDED seen');
    expect(since.seen.at(-1)).toBe('DELETED seen');
  });

  test.skipIf(isRealCluster)('a watch has bookmarks, and 410 once its version is forgotten', async () => {
    const { metadata } = await apps.listNamespacedDeployment({ namespace });
    const since = await follow(metadata?.resourceVersion);
    await clock.advance(10_000);
    await until(async () => since.seen.length === 1, 'a bookmark');
    expect(since.seen).toEqual(['BOOKMARK']);
    since.stop();
    await apply('one-more', manifest('one-more', 'a:1'));
    sandbox.compact();
    const late = await follow(metadata?.resourceVersion);
    await until(async () => late.ended.length === 1, 'the end of a watch from too far back');
    expect(late.seen).toEqual(['ERROR 410']);
  });

  test.skipIf(isRealCluster)(
    'of a log the last lines are told, all of them unless told, and none of 0',
    async () => {
      const core = config.makeApiClient(CoreV1Api);
      sandbox.writeLog('talks:1', 'a\nb\nc\n');
      await apply('talks', manifest('talks', 'talks:1'));
      await clock.advance(3_000);
      const { items } = await core.listNamespacedPod({ namespace });
      const pod = items.find(({ spec }) => spec?.containers[0]?.image === 'talks:1')!.metadata!.name!;
      const log = async (tailLines?: number) =>
        core.readNamespacedPodLog({
          name: pod,
          namespace,
          ...(tailLines === undefined ? {} : { tailLines }),
        });
      expect([await log(), await log(5), await log(2), await log(0)]).toEqual([
        'a\nb\nc\n',
        'a\nb\nc\n',
        'b\nc\n',
        '',
      ]);
    },
  );

  test('lists come in pages and by fields', async () => {
    const first = await apps.listNamespacedDeployment({ namespace, limit: 2 });
    expect(first.items).toHaveLength(2);
    const next = await apps.listNamespacedDeployment({
      namespace,
      limit: 500,
      _continue: first.metadata?._continue ?? '',
    });
    const all = await apps.listNamespacedDeployment({ namespace });
    expect([...first.items, ...next.items].map((each) => each.metadata?.name)).toEqual(
      all.items.map((each) => each.metadata?.name),
    );
    const one = await apps.listNamespacedDeployment({ namespace, fieldSelector: 'metadata.name=owned' });
    expect(one.items.map((each) => each.metadata?.name)).toEqual(['owned']);
  });

  test.skipIf(isRealCluster)(
    'what is refused is refused: too many requests, and credentials that have ended',
    async () => {
      const core = config.makeApiClient(CoreV1Api);
      expect((await core.listNode()).items[0]?.status?.capacity).toMatchObject({ cpu: '4' });
      sandbox.addFault({ kind: 'error', reason: 'TooManyRequests', retryAfterSeconds: 1 });
      await expect(core.listNode()).rejects.toMatchObject({ code: 429 });
      const short = new KubeConfig();
      short.loadFromString(sandbox.kubeconfig({ user: 'short', by: 'token', forMs: 60_000 }));
      await expect(short.makeApiClient(CoreV1Api).listNode()).resolves.toBeDefined();
      await clock.advance(61_000);
      await expect(short.makeApiClient(CoreV1Api).listNode()).rejects.toMatchObject({ code: 401 });
      const certified = new KubeConfig();
      certified.loadFromString(sandbox.kubeconfig({ user: 'certified' }));
      await expect(certified.makeApiClient(CoreV1Api).listNode()).resolves.toBeDefined();
      sandbox.revoke('certified');
      await expect(certified.makeApiClient(CoreV1Api).listNode()).rejects.toMatchObject({ code: 401 });
    },
  );

  const swagger = vendorFile('kubernetes.swagger.json');
  test.skipIf(swagger === undefined || isRealCluster)(
    'answers and schema hold against the published description',
    async () => {
      const description = new Description(swagger!);
      const faults = (name: string, body: unknown) => description.faults(name, body);
      const wire = async (path: string) => rawGet(config, sandbox, path);
      expect([
        ...faults('io.k8s.api.apps.v1.DeploymentList', await wire('/apis/apps/v1/deployments')),
        ...faults(
          'io.k8s.api.apps.v1.Deployment',
          await wire(`/apis/apps/v1/namespaces/${namespace}/deployments/roll`),
        ),
        ...faults('io.k8s.api.core.v1.NodeList', await wire('/api/v1/nodes')),
        ...faults('io.k8s.api.core.v1.NamespaceList', await wire('/api/v1/namespaces')),
        ...faults('io.k8s.apimachinery.pkg.version.Info', await wire('/version')),
        ...faults('io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList', await wire('/apis/apps/v1')),
        ...faults('io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList', await wire('/apis')),
        ...faults(
          'io.k8s.apimachinery.pkg.apis.meta.v1.Status',
          await wire('/apis/apps/v1/namespaces/default/deployments/none'),
        ),
      ]).toEqual([]);

      expect(description.differences('io.k8s.api.apps.v1.Deployment', deploymentSchema)).toEqual([]);
    },
  );
});

/** As it comes over the wire, without a model in between. */
async function rawGet(config: KubeConfig, sandbox: KubernetesSandbox, path: string): Promise<unknown> {
  const dispatcher = new Agent({ connect: { ca: sandbox.authority } });
  const token = config.getCurrentUser()?.token ?? '';
  const { body } = await request(sandbox.url + path, {
    dispatcher,
    headers: { authorization: `Bearer ${token}` },
  });
  const answer: unknown = await body.json();
  await dispatcher.close();
  return answer;
}
