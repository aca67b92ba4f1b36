import { randomUUID } from 'node:crypto';

import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { dataOf } from '../support/answers.js';
import { manifest } from '../support/deployment-manifest.js';
import { Live } from '../support/live.js';
import { until, type Tenant } from '../support/world.js';
import { deploymentsAt, type DeploymentBody } from './support/deployments.js';
import {
  byAdministrator,
  cluster,
  clusterOf,
  startKubernetesPanel,
  type KubernetesPanel,
} from './support/kubernetes-panel.js';

const timeout = 180_000;
const namespace = 'default';
const applies = 'PATCH /apis/apps/v1/namespaces/{name}/deployments/{name}';

let panel: KubernetesPanel;
let tenant: Tenant;
let sandbox: KubernetesSandbox;
let clusterId: string;
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
});
afterEach(async () => panel.forget(clusterId));

const watched = async () => panel.pass(() => sandbox.openWatches === 1, 'a watch');
const create = async (name: string, by = tenant, cluster_id = clusterId) =>
  by.rest<DeploymentBody>('/api/k8s/deployments', { body: { cluster_id, name, image: 'nginx:1' } });
const { put, stateOf, reaches } = deploymentsAt(() => ({ panel, tenant, clusterId }));
const listed = async () =>
  (await tenant.rest<DeploymentBody[]>('/api/k8s/deployments')).body.map(
    ({ name, status }) => `${name} ${status}`,
  );
const becomes = async (status: string, reason: string | null) =>
  panel.pass(async () => {
    const is = await clusterOf(tenant, clusterId);
    return is.status === status && is.reason === reason;
  }, `${status} ${reason}`);
const sent = () => sandbox.requests()[applies] ?? 0;
/** One whose cluster has not heard of it yet. */
const unheard = async (name: string, of = sandbox, by = tenant, where = clusterId) => {
  of.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
  const { body, status } = await create(name, by, where);
  expect({ status, is: body.status }).toEqual({ status: 201, is: 'pending' });
  return body.id;
};
const rowOf = async (id: string) => {
  const [row] = await panel.sql<{ failures: number; dueAt: Date | null; deleted: boolean; sealed: boolean }>(
    `select failures, due_at as "dueAt", deleted_at is not null as deleted,
       num_nonnulls(sealed_desired, sealed_taken, seen_meanwhile) > 0 as sealed
     from hosting.deployment where id = $1`,
    [id],
  );
  return row!;
};

describe('a cluster that is well but for the watch of its deployments', () => {
  test('says so where its credential may not watch any more, until it may again', { timeout }, async () => {
    sandbox.kubeconfig({ user: 'admin', rules: [{ verbs: ['get'], resources: ['*'] }] });
    sandbox.cutWatches();
    await becomes('DEGRADED', 'CREDENTIAL_REFUSED');
    expect((await clusterOf(tenant, clusterId)).message).toMatch(
      /^It does not let the credential watch its deployments: .*cannot list resource "deployments"/,
    );
    sandbox.kubeconfig({ user: 'admin' });
    await watched();
    await becomes('HEALTHY', null);
  });

  test('says so where each watch ends as soon as it has begun', { timeout }, async () => {
    const watches = { path: '/apis/apps/v1/deployments', query: 'watch=true', next: 1_000_000 };
    sandbox.addFault({ kind: 'empty', ...watches });
    sandbox.cutWatches();
    await becomes('DEGRADED', 'NOT_WATCHED');
    sandbox.clearFaults();
    await becomes('HEALTHY', null);
    expect(sandbox.openWatches).toBe(1);
  });

  test('says so where no watch is ever answered', { timeout }, async () => {
    // The one before was a good one.
    await panel.seconds(6);
    sandbox.addFault({
      kind: 'late',
      delayMs: 600_000,
      path: '/apis/apps/v1/deployments',
      query: 'watch=true',
      next: 1_000_000,
    });
    sandbox.cutWatches();
    await becomes('DEGRADED', 'NOT_WATCHED');
    expect((await clusterOf(tenant, clusterId)).message).toMatch(/did not answer in time$/);
  });
});

test(
  'the end of a credential hides nothing else that is wrong, and is the reason of its own refusal',
  { timeout },
  async () => {
    const forMs = 5 * 86_400_000;
    const kubeconfig = sandbox.kubeconfig({ user: 'brief', by: 'token', forMs });
    const path = `/api/k8s/clusters/${clusterId}`;
    expect((await tenant.rest(path, { method: 'PUT', body: { kubeconfig } })).status).toBe(200);
    await becomes('HEALTHY', 'CREDENTIAL_ENDING');
    sandbox.setUnready('etcd');
    await becomes('DEGRADED', 'NOT_READY');
    expect((await clusterOf(tenant, clusterId)).message).not.toMatch(/credential/);
    sandbox.setUnready('');
    await becomes('HEALTHY', 'CREDENTIAL_ENDING');
    sandbox.revoke('brief');
    await becomes('DEGRADED', 'CREDENTIAL_REFUSED');
    const last = sandbox.kubeconfig({ user: 'last', by: 'token', forMs: 60_000 });
    expect((await tenant.rest(path, { method: 'PUT', body: { kubeconfig: last } })).status).toBe(200);
    await becomes('DEGRADED', 'CREDENTIAL_ENDED');
  },
);

test(
  'a cluster is asked for nothing while its tenant is suspended, and watched again afterwards',
  { timeout },
  async () => {
    const id = await unheard('retried');
    const isDueAt = async (at: string) =>
      panel.sql('update hosting.deployment set due_at = $2, failures = 0 where id = $1', [id, at]);
    await isDueAt('2100-01-01');
    await byAdministrator(tenant, 'suspendTenant');
    await panel.pass(() => sandbox.openWatches === 0, 'the watch to end');
    const asked = sandbox.requests();
    await isDueAt('2000-01-01');
    await panel.seconds(45);
    expect(sandbox.requests()).toEqual(asked);
    expect((await rowOf(id)).failures).toBe(0);
    await byAdministrator(tenant, 'restoreTenant');
    await watched();
    await panel.pass(async () => (await rowOf(id)).dueAt === null, 'it to be applied');
  },
);

describe('a job that applies', () => {
  test('leaves a cluster that is offline alone, and goes on as soon as it is back', { timeout }, async () => {
    // Whoever looks at it gets no answer; it would take what is applied.
    sandbox.addFault({ kind: 'drop_before', path: '/readyz', next: 1_000_000 });
    await becomes('OFFLINE', 'UNREACHABLE');
    const id = await unheard('waiting');
    const before = sent();
    await panel.sql(`update hosting.deployment set failures = 6, due_at = '2000-01-01' where id = $1`, [id]);
    await panel.pass(async () => (await rowOf(id)).failures === 7, 'the job');
    expect(await stateOf(id)).toMatchObject({ status: 'PENDING', reason: 'CLUSTER_AWAY' });
    expect(sent()).toBe(before);
    const { dueAt } = await rowOf(id);
    sandbox.clearFaults();
    await reaches(id, 'RUNNING');
    expect(panel.clock.now().getTime()).toBeLessThan(dueAt!.getTime());
  });

  test(
    'does not wait for those of a tenant whose cluster takes calls and says nothing',
    { timeout },
    async () => {
      const other = await panel.world.tenant();
      const quick = await panel.kubernetes();
      const id = await unheard('quick', quick, other, await cluster(other, quick));
      const silent: string[] = [];
      for (let at = 0; at < 9; at += 1) silent.push(await unheard(`silent-${at}`));
      sandbox.addFault({ kind: 'late', delayMs: 600_000, method: 'PATCH', dryRun: false, next: 1_000 });
      await panel.sql(`update hosting.deployment set due_at = '2000-01-01' where id = any($1)`, [silent]);
      await panel.sql(`update hosting.deployment set due_at = '2000-01-02' where id = $1`, [id]);
      await panel.pass(() => quick.deployment(namespace, 'quick') !== undefined, 'that of the other tenant');
      const [row] = await panel.sql<{ calling: number; over: number }>(
        `select count(*) filter (where calling_until is not null)::int as calling,
           count(*) filter (where failures > 1)::int as over from hosting.deployment where id = any($1)`,
        [silent],
      );
      // None of the silent ones was over by then.
      expect(row).toEqual({ calling: 4, over: 0 });
    },
  );

  test('that comes late leaves what has been put off since', { timeout }, async () => {
    const id = await unheard('late');
    sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false, next: 1_000 });
    await panel.sql(`update hosting.deployment set due_at = '2000-01-01' where id = $1`, [id]);
    const putOff = `update hosting.deployment set due_at = '2100-01-01'
      where id = $1 and failures >= 2 and calling_until is null returning 1`;
    await panel.pass(async () => (await panel.sql(putOff, [id])).length > 0, 'a job');
    const [before, { failures }] = [sent(), await rowOf(id)];
    sandbox.clearFaults();
    const again = randomUUID();
    await panel.sql(
      `insert into jobs.job select (jsonb_populate_record(j, jsonb_build_object('id', $2::text, 'state', 'created',
         'started_on', null, 'completed_on', null, 'heartbeat_on', null))).*
       from jobs.job j where name = 'hosting.deployment.apply' and data->>'deploymentId' = $1 limit 1`,
      [id, again],
    );
    await until(
      async () => {
        const rows = await panel.sql(`select 1 from jobs.job where id = $1 and state = 'completed'`, [again]);
        return rows.length > 0;
      },
      'the job that comes late',
      60_000,
    );
    expect(sent()).toBe(before);
    expect(await rowOf(id)).toMatchObject({ failures, dueAt: new Date('2100-01-01') });
    expect(await stateOf(id)).toMatchObject({ status: 'PENDING' });
  });

  test('and is refused leaves as wanted what the cluster took last', { timeout }, async () => {
    const { id } = (await create('kept')).body;
    await reaches(id, 'RUNNING');
    sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
    expect((await put(id, { image: 'nginx:2', replicas: 2 })).body.status).toBe('pending');
    sandbox.addFault({ kind: 'error', reason: 'Forbidden', message: 'no', method: 'PATCH', dryRun: false });
    await reaches(id, 'FAILED');
    expect(await stateOf(id)).toMatchObject({ reason: 'REFUSED', image: 'nginx:1', replicas: 1 });
    expect((await put(id, { replicas: 3 })).status).toBe(200);
    await reaches(id, 'RUNNING');
    expect(sandbox.deployment(namespace, 'kept')?.spec).toMatchObject({
      replicas: 3,
      template: { spec: { containers: [{ image: 'nginx:1' }] } },
    });
  });
});

describe('a cluster that is removed', () => {
  const remove = async () =>
    dataOf(
      await tenant.graphql(
        'mutation($id: ID!) { removeCluster(id: $id, abandonsDeployments: true) { id } }',
        { id: clusterId },
      ),
    );

  test(
    'takes its deployments along, each of which is told, and nothing sealed is left of them',
    { timeout },
    async () => {
      const config = new KubeConfig();
      config.loadFromString(sandbox.kubeconfig({ user: 'somebody', by: 'token' }));
      const body = manifest('theirs', 'a:1');
      await config.makeApiClient(AppsV1Api).createNamespacedDeployment({ namespace, body });
      const { id } = (await create('ours')).body;
      await panel.pass(async () => (await listed()).includes('theirs running'), 'theirs');
      await reaches(id, 'RUNNING');
      await using live = new Live<{ deploymentChanged: { name: string; status: string } }>(
        panel.panel.url,
        tenant.token,
        'subscription { deploymentChanged { name status } }',
      );
      await live.opened();
      await remove();
      expect(await listed()).toEqual([]);
      expect((await tenant.rest(`/api/k8s/deployments?cluster_id=${clusterId}`)).body).toEqual([]);
      const ended = () =>
        live.results.flatMap(({ data }) =>
          data?.deploymentChanged.status === 'DELETED' ? [data.deploymentChanged.name] : [],
        );
      // Slowly: by then the token of whoever listens must not have ended.
      await until(async () => {
        await panel.clock.advance(1_000);
        return ended().length === 2;
      }, 'both ends');
      expect(ended().toSorted()).toEqual(['ours', 'theirs']);
      expect(await rowOf(id)).toMatchObject({ deleted: true, sealed: false, dueAt: null });
      expect(sandbox.deployment(namespace, 'ours')).toBeDefined();
    },
  );

  test('while it is asked for a deployment gets none', { timeout }, async () => {
    const before = sent();
    sandbox.addFault({ kind: 'delay', delayMs: 3_000, method: 'PATCH', dryRun: true });
    const creating = create('astray');
    await until(async () => sent() > before, 'the dry run');
    await remove();
    expect((await creating).status).toBe(404);
    expect(await panel.sql('select 1 from hosting.deployment where cluster_id = $1', [clusterId])).toEqual(
      [],
    );
    expect(sandbox.deployment(namespace, 'astray')).toBeUndefined();
  });
});

test('clusters that other areas name are read together, whatever their number', { timeout }, async () => {
  const names = async () =>
    dataOf(
      await tenant.graphql<{ scores: { byCluster: { cluster: { id: string } | null }[] } }>(
        '{ scores { byCluster { cluster { id name } } } }',
      ),
    ).scores.byCluster.filter((each) => each.cluster !== null).length;
  await until(async () => (await names()) === 1, 'the one');
  for (const [table, more] of Object.entries({
    'hosting.cluster': { deleted_at: '2000-01-01T00:00:00Z' },
    'governance.cluster': {},
  }))
    await panel.sql(
      `insert into ${table} select (jsonb_populate_record(c, $2::jsonb || jsonb_build_object('id', c.id || n))).*
       from ${table} c, generate_series(1, 30) n where c.id = $1`,
      [clusterId, JSON.stringify(more)],
    );
  // Taken once by each statement that reads the table.
  await panel.sql('create sequence hosting.reads');
  await panel.sql('grant usage on sequence hosting.reads to public');
  await panel.sql(`create policy reads on hosting.cluster as restrictive for select
    using ((select nextval('hosting.reads')) is not null)`);
  expect(await names()).toBe(31);
  await panel.sql('drop policy reads on hosting.cluster');
  const [row] = await panel.sql<{ reads: number }>('select last_value::int as reads from hosting.reads');
  // Those who watch clusters read it as well.
  expect(row!.reads).toBeLessThan(15);
});
