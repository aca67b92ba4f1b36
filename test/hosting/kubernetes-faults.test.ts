import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { manifest } from '../support/deployment-manifest.js';
import { until, type Tenant } from '../support/world.js';
import { deploymentsAt } from './support/deployments.js';
import {
  cluster,
  clusterOf,
  startKubernetesPanel,
  type KubernetesPanel,
} from './support/kubernetes-panel.js';

const timeout = 120_000;
const namespace = 'default';
const lists = 'GET /apis/apps/v1/deployments';

let panel: KubernetesPanel;
let tenant: Tenant;
let sandbox: KubernetesSandbox;
let clusterId: string;
let apps: AppsV1Api;
beforeAll(async () => {
  panel = await startKubernetesPanel();
});
afterAll(async () => panel.stop());
// Each has a cluster of its own: what goes wrong in one is no other's.
beforeEach(async () => {
  tenant = await panel.world.tenant();
  sandbox = await panel.kubernetes();
  clusterId = await cluster(tenant, sandbox);
  await watched();
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
  apps = config.makeApiClient(AppsV1Api);
});
afterEach(async () => panel.forget(clusterId));

const watched = async (of = sandbox) => panel.pass(() => of.openWatches === 1, 'a watch');
const make = async (name: string) =>
  apps.createNamespacedDeployment({ namespace, body: manifest(name, 'a:1') });
const {
  create: ask,
  put,
  remove,
  stateOf,
  reaches,
  listed,
  isListed,
} = deploymentsAt(() => ({ panel, tenant, clusterId }));
const create = async (name: string) => {
  const answer = await ask(name);
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
};

describe('a watch', () => {
  test('goes on from what could not be written, and not from what came after it', { timeout }, async () => {
    // Not undone with the transaction that fails: once.
    await panel.sql('create sequence hosting.failures');
    await panel.sql('grant usage on sequence hosting.failures to public');
    await panel.sql(`create function hosting.fail_once() returns trigger language plpgsql as $$ begin
      if new.name = 'unwritten' and nextval('hosting.failures') = 1 then
        perform pg_sleep(1); raise exception 'cannot be written';
      end if; return new; end $$`);
    await panel.sql(
      'create trigger fail_once before insert on hosting.deployment for each row execute function hosting.fail_once()',
    );
    await make('unwritten');
    await until(
      async () => (await panel.sql(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)).length > 0,
      'the write that fails',
    );
    await make('after-it');
    await panel.pass(isListed('after-it running'), 'what came after');
    await panel.pass(isListed('unwritten running'), 'what could not be written');
    expect(await listed()).toEqual(expect.arrayContaining(['unwritten running', 'after-it running']));
    await panel.sql('drop trigger fail_once on hosting.deployment');
  });

  test('leaves out an object that is none, and keeps all others', { timeout }, async () => {
    const odd = (object: object) => sandbox.tellWatches('MODIFIED', object as never);
    odd({ metadata: { name: 'odd' }, spec: null });
    odd({ apiVersion: 'apps/v1' });
    await make('model');
    await panel.pass(isListed('model running'), 'one');
    const model = sandbox.deployment(namespace, 'model')!;
    odd({ ...model, spec: { ...model.spec, replicas: 1e12 } });
    const message = `half a pair \uD83D and \0`;
    const conditions = [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message },
    ];
    odd({
      ...model,
      metadata: { ...model.metadata, name: 'unwell', uid: 'of-another' },
      status: { ...model.status, conditions },
    });
    await panel.pass(isListed('unwell failed'), 'the one with odd text');
    await make('later');
    await panel.pass(isListed('later running'), 'what came after');
    expect(await listed()).not.toContainEqual(expect.stringMatching(/^odd/));
  });

  test('that ends at once is not asked for again at once', { timeout }, async () => {
    const ended = () => sandbox.requests()['empty /apis/apps/v1/deployments'] ?? 0;
    sandbox.addFault({
      kind: 'empty',
      path: '/apis/apps/v1/deployments',
      query: 'watch=true',
      next: 1_000_000,
    });
    sandbox.cutWatches();
    await panel.pass(() => ended() > 0, 'such a watch');
    const before = ended();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(ended() - before).toBeLessThanOrEqual(1);
    sandbox.clearFaults();
    await watched();
  });

  test(
    'that tells the end of an earlier one of a name leaves the one that has it now',
    { timeout },
    async () => {
      const first = await create('again');
      const old = sandbox.deployment(namespace, 'again')!;
      await apps.deleteNamespacedDeployment({ name: 'again', namespace });
      await reaches(first.body.id, 'DELETED');
      const second = await create('again');
      await reaches(second.body.id, 'RUNNING');
      const { resourceVersion } = sandbox.deployment(namespace, 'again')!.metadata;
      sandbox.tellWatches('DELETED', { ...old, metadata: { ...old.metadata, resourceVersion } } as never);
      await make('mark');
      await panel.pass(isListed('mark running'), 'what came after');
      expect(await stateOf(second.body.id)).toMatchObject({ status: 'RUNNING' });
    },
  );
});

test('a list leaves what was made while it was on its way, and ends what is gone', { timeout }, async () => {
  const { body: gone } = await create('gone');
  await reaches(gone.id, 'RUNNING');
  const before = sandbox.requests()[lists] ?? 0;
  sandbox.addFault({ kind: 'delay', delayMs: 3_000, path: '/apis/apps/v1/deployments', query: 'limit=' });
  sandbox.cutWatches();
  await apps.deleteNamespacedDeployment({ name: 'gone', namespace });
  sandbox.compact();
  // A watch that is refused, and the list.
  await panel.pass(() => (sandbox.requests()[lists] ?? 0) >= before + 2, 'the list');
  const { body } = await create('meanwhile');
  expect(await stateOf(body.id)).toMatchObject({ status: 'PROGRESSING' });
  await panel.pass(async () => (await stateOf(gone.id)).status === 'DELETED', 'the end of the other');
  expect(['PROGRESSING', 'RUNNING']).toContain((await stateOf(body.id)).status);
  await reaches(body.id, 'RUNNING');
});

describe('while a call is under way', () => {
  test('what a watch tells counts once it has its answer', { timeout }, async () => {
    const { body } = await create('short');
    await reaches(body.id, 'RUNNING');
    sandbox.addFault({ kind: 'delay', delayMs: 2_000, method: 'PATCH', dryRun: false });
    const changing = put(body.id, { image: 'nginx:2' });
    await until(
      async () => sandbox.deployment(namespace, 'short')?.metadata.generation === 2,
      'the change to be there',
    );
    await apps.deleteNamespacedDeployment({ name: 'short', namespace });
    expect(['pending', 'deleted']).toContain((await changing).body.status);
    await reaches(body.id, 'DELETED');
    expect(sandbox.requests()[lists]).toBeLessThanOrEqual(2);
  });

  test('a deletion ends what comes late all the same', { timeout }, async () => {
    sandbox.addFault({ kind: 'late', delayMs: 2_000, method: 'PATCH', dryRun: false });
    const creating = create('late');
    await until(async () => (await listed()).includes('late pending'), 'it to be written down');
    const [row] = await panel.sql<{ id: string }>(`select id from hosting.deployment where name = 'late'`);
    expect((await remove(row!.id)).status).toBe(204);
    expect((await creating).status).toBe(201);
    expect(sandbox.deployment(namespace, 'late')).toBeDefined();
    await reaches(row!.id, 'DELETED');
    expect(sandbox.deployment(namespace, 'late')).toBeUndefined();
    // A change of one that is there does not bring it back.
    const { body } = await create('back');
    await reaches(body.id, 'RUNNING');
    sandbox.addFault({ kind: 'late', delayMs: 1_500, method: 'PATCH', dryRun: false });
    const changing = put(body.id, { image: 'nginx:2' });
    await until(async () => (await stateOf(body.id)).status === 'PENDING', 'it to be written down');
    expect((await remove(body.id)).status).toBe(204);
    await changing;
    await reaches(body.id, 'DELETED');
    expect(sandbox.deployment(namespace, 'back')).toBeUndefined();
  });
});

test('what its cluster refuses to delete is tried until it is gone', { timeout }, async () => {
  const { body } = await create('held');
  await reaches(body.id, 'RUNNING');
  sandbox.addFault({ kind: 'drop_before', method: 'DELETE' });
  sandbox.addFault({ kind: 'error', reason: 'Forbidden', message: 'no', method: 'DELETE', next: 2 });
  expect((await remove(body.id)).status).toBe(204);
  await panel.pass(async () => (await stateOf(body.id)).reason === 'DELETION_REFUSED', 'the refusal');
  expect(await stateOf(body.id)).toMatchObject({ status: 'DELETING' });
  await reaches(body.id, 'DELETED');
  expect(sandbox.deployment(namespace, 'held')).toBeUndefined();
});

describe('what is to be applied once more', () => {
  test('waits for another credential when the one that there is has ended', { timeout }, async () => {
    sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
    const { body } = await create('patient');
    expect(body.status).toBe('pending');
    sandbox.revoke('admin');
    await panel.pass(async () => (await stateOf(body.id)).reason === 'CREDENTIAL_REFUSED', 'the refusal');
    await panel.seconds(5);
    expect(await stateOf(body.id)).toMatchObject({ status: 'PENDING' });
    const kubeconfig = sandbox.kubeconfig({ user: 'second' });
    const path = `/api/k8s/clusters/${clusterId}`;
    expect((await tenant.rest(path, { method: 'PUT', body: { kubeconfig } })).status).toBe(200);
    await reaches(body.id, 'RUNNING');
  });

  test('takes over what it was to take over', { timeout }, async () => {
    const { body } = await create('owned');
    await apps.patchNamespacedDeployment({
      name: 'owned',
      namespace,
      fieldManager: 'somebody',
      body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'nginx:5' }],
    });
    sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
    expect((await put(body.id, { image: 'nginx:6', takes_over: true })).body.status).toBe('pending');
    await reaches(body.id, 'RUNNING');
    expect(await stateOf(body.id)).toMatchObject({ image: 'nginx:6', reason: null });
  });
});

describe('one cluster among others', () => {
  test('whose credential cannot be opened says so, and the others are watched', { timeout }, async () => {
    await panel.sql(
      `update hosting.cluster set sealed_credential = 'v1.none', credential_number = credential_number + 1 where id = $1`,
      [clusterId],
    );
    const other = await panel.kubernetes();
    const otherId = await cluster(tenant, other);
    await watched(other);
    await until(
      async () => (await clusterOf(tenant, clusterId)).reason === 'CREDENTIAL_UNREADABLE',
      'the reason',
    );
    expect(await clusterOf(tenant, otherId)).toMatchObject({ status: 'HEALTHY', reason: null });
  });

  test(
    'that answers slowly does not keep the process from saying that it is there',
    { timeout },
    async () => {
      const other = await panel.kubernetes();
      const otherId = await cluster(tenant, other);
      await watched(other);
      const asked = () => sandbox.requests()['GET /version'] ?? 0;
      const before = asked();
      sandbox.addFault({ kind: 'delay', delayMs: 600_000, path: '/version' });
      await panel.pass(() => asked() > before, 'the slow look');
      await panel.sql('update hosting.cluster set credential_number = credential_number + 1 where id = $1', [
        clusterId,
      ]);
      const heldUntil = async () => {
        const [row] = await panel.sql<{ at: Date }>(
          'select watcher_until as at from hosting.cluster where id = $1',
          [otherId],
        );
        return row!.at.getTime();
      };
      const first = await heldUntil();
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      expect((await heldUntil()) - first).toBeGreaterThanOrEqual(4_000);
    },
  );

  test('is looked at although it keeps /readyz to itself, and is the same or none', { timeout }, async () => {
    sandbox.addFault({ kind: 'error', reason: 'Forbidden', path: '/readyz', next: 1_000_000 });
    await panel.seconds(45);
    expect(await clusterOf(tenant, clusterId)).toMatchObject({ status: 'HEALTHY' });
    sandbox.addFault({
      kind: 'error',
      reason: 'Unauthorized',
      path: '/api/v1/namespaces/kube-system',
      next: 1_000_000,
    });
    const isDegraded = async () => (await clusterOf(tenant, clusterId)).status === 'DEGRADED';
    await panel.pass(isDegraded, 'that the credential is refused');
    sandbox.clearFaults();
    await panel.pass(async () => !(await isDegraded()), 'health');
    await make('of-the-first');
    await panel.pass(isListed('of-the-first running'), 'what is in the first');
    sandbox.becomeAnother();
    sandbox.cutWatches();
    await panel.pass(isDegraded, 'that it is another');
    expect(await clusterOf(tenant, clusterId)).toMatchObject({ reason: 'OTHER_CLUSTER' });
    await expect(create('astray')).rejects.toThrow(/^409 /);
    expect(sandbox.deployment(namespace, 'astray')).toBeUndefined();
    expect(sandbox.openWatches).toBe(0);
    expect(await listed()).toEqual(['of-the-first running']);
  });
});
