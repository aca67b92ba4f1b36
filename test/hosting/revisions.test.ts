import { randomBytes } from 'node:crypto';

import type { AppsV1Api } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { Database } from '#platform/database/database.js';
import { silentLogger } from '#platform/logger.js';
import { Keyring } from '#platform/secrets/keyring.js';
import { reseal } from '#platform/secrets/reseal.job.js';
import type { KubernetesSandbox } from '#sandbox/kubernetes/start.js';
import { revisionsMigration } from '#subgraphs/hosting/migrations/060-revisions.js';
import { hostingSealedColumns } from '#subgraphs/hosting/sealed-columns.js';

import { dataOf, refusal } from '../support/answers.js';
import { manifest } from '../support/deployment-manifest.js';
import { HeldLock } from '../support/held-lock.js';
import { testSecretsKey } from '../support/panel.js';
import { tokenInRole } from '../support/roles.js';
import type { Tenant } from '../support/world.js';
import { startKubernetesPanel, type KubernetesPanel } from './support/kubernetes-panel.js';
import { refused, rolloutsAt, watchedCluster } from './support/rollouts.js';

const timeout = 180_000;
const namespace = 'default';
/** How many revisions are kept beside the one that is wanted. */
const limit = 4;

let panel: KubernetesPanel;
let tenant: Tenant;
let sandbox: KubernetesSandbox;
let clusterId: string;
let apps: AppsV1Api;
beforeAll(async () => {
  panel = await startKubernetesPanel({ REVISION_HISTORY_LIMIT: String(limit) });
});
afterAll(async () => panel.stop());
beforeEach(async () => {
  ({ tenant, sandbox, clusterId, apps } = await watchedCluster(panel));
});
afterEach(async () => panel.forget(clusterId));

const {
  put,
  remove,
  stateOf,
  reaches,
  running,
  changed,
  restart,
  rollBack,
  pageOf,
  history,
  told,
  templateOf,
  environment,
  generation,
} = rolloutsAt(() => ({ panel, tenant, clusterId, sandbox, apps }));

describe('restarts and rollbacks', () => {
  test(
    'are refused with words: what is not there, is not the panel’s, is of others, or may not be done',
    { timeout },
    async () => {
      const id = await running('own');
      expect(refusal(await rollBack(id, 0))).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { 'input.toRevision': 'Revisions are counted from 1 on' },
      });
      expect(refusal(await rollBack(id, 7))).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { 'input.toRevision': 'No revision 7 of it is kept' },
      });
      expect(refusal(await restart(id, { idempotencyKey: 'with a space' }))).toMatchObject({
        code: 'VALIDATION_FAILED',
        reason: 'IDEMPOTENCY_KEY_INVALID',
      });
      const stranger = await panel.world.tenant();
      for (const of of ['dep_none', id])
        for (const answer of [
          await restart(of, {}, stranger),
          await rollBack(of, 1, {}, stranger),
          await pageOf(of, {}, stranger.token),
        ])
          expect(refusal(answer)).toMatchObject({ code: 'NOT_FOUND' });
      await apps.createNamespacedDeployment({ namespace, body: manifest('theirs', 'a:1') });
      await panel.pass(
        async () => (await panel.sql(`select 1 from hosting.deployment where name = 'theirs'`)).length > 0,
        'theirs',
      );
      const [theirs] = await panel.sql<{ id: string }>(
        `select id from hosting.deployment where name = 'theirs'`,
      );
      for (const answer of [await restart(theirs!.id), await rollBack(theirs!.id, 1)])
        expect(refusal(answer)).toMatchObject({ code: 'CONFLICT', reason: 'NOT_MANAGED' });
      expect(await history(theirs!.id)).toEqual([]);
      await panel.sql(`update hosting.deployment set placement_id = 'plc_some' where id = $1`, [id]);
      for (const answer of [await restart(id), await rollBack(id, 1)])
        expect(refusal(answer)).toMatchObject({ code: 'CONFLICT', reason: 'PLACED' });
      await panel.sql('update hosting.deployment set placement_id = null where id = $1', [id]);
      expect(generation('own')).toBe(1);
      for (const role of ['VIEWER', 'BILLING'] as const) {
        const token = await tokenInRole(panel, tenant, role);
        for (const answer of [await restart(id, {}, tenant, token), await rollBack(id, 1, {}, tenant, token)])
          expect(refusal(answer)).toMatchObject({ code: 'FORBIDDEN' });
        expect(dataOf(await pageOf(id, {}, token)).deploymentRevisions.totalCount).toBe(1);
      }
      const operator = await tokenInRole(panel, tenant, 'OPERATOR');
      expect(dataOf(await restart(id, {}, tenant, operator)).restartDeployment.revision).toBe(2);
    },
  );

  test(
    'wait for no watch, which holds the cluster while it waits for the deployment',
    { timeout },
    async () => {
      const id = await running('watched');
      await using watch = await HeldLock.by(panel, 'select 1 from hosting.cluster where id = $1 for update', [
        clusterId,
      ]);
      expect(dataOf(await restart(id)).restartDeployment.revision).toBe(2);
      expect((await put(id, { image: 'nginx:2' })).status).toBe(200);
      expect(dataOf(await rollBack(id, 1)).rollBackDeployment.revision).toBe(4);
      await watch.release();
      await reaches(id, 'RUNNING');
    },
  );

  test(
    'leave nothing where the cluster is away, and are done once it is back where it went away over them',
    { timeout },
    async () => {
      const id = await running('away');
      await changed(id, { image: 'nginx:2' });
      sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: true, next: 2 });
      for (const answer of [await restart(id), await rollBack(id, 1)])
        expect(refusal(answer)).toMatchObject({ code: 'UNAVAILABLE', reason: 'CLUSTER_AWAY' });
      expect(await told(id)).toEqual(['2 UPDATE nginx:2 wanted', '1 CREATE nginx:1']);
      expect(await stateOf(id)).toMatchObject({ status: 'RUNNING', image: 'nginx:2' });
      sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
      expect(dataOf(await rollBack(id, 1)).rollBackDeployment).toMatchObject({
        status: 'PENDING',
        revision: 3,
      });
      await reaches(id, 'RUNNING');
      expect(templateOf('away')?.spec.containers[0]?.image).toBe('nginx:1');
      const before = generation('away')!;
      sandbox.addFault({ kind: 'drop_after_commit', method: 'PATCH', dryRun: false });
      expect(dataOf(await restart(id)).restartDeployment).toMatchObject({ status: 'PENDING', revision: 4 });
      await reaches(id, 'RUNNING');
      expect(generation('away')).toBe(before + 1);
    },
  );

  test(
    'that a cluster refuses late are forgotten, and what it took last is wanted',
    { timeout },
    async () => {
      const id = await running('late');
      sandbox.addFault({ kind: 'drop_before', method: 'PATCH', dryRun: false });
      sandbox.addFault(refused);
      expect((await put(id, { image: 'nginx:2' })).body.status).toBe('pending');
      expect(await told(id)).toEqual(['2 UPDATE nginx:2 wanted', '1 CREATE nginx:1']);
      await reaches(id, 'FAILED');
      expect(await told(id)).toEqual(['1 CREATE nginx:1 wanted']);
      dataOf(await restart(id));
      await reaches(id, 'RUNNING');
      expect(await told(id)).toEqual(['3 RESTART nginx:1 wanted', '1 CREATE nginx:1']);
    },
  );
});

describe('the history', () => {
  test('keeps as many as it is set to, page by page, and ends with its deployment', { timeout }, async () => {
    const id = await running('long');
    for (let at = 2; at <= 7; at += 1) await changed(id, { image: `nginx:${at}` });
    expect(await told(id)).toEqual([
      '7 UPDATE nginx:7 wanted',
      '6 UPDATE nginx:6',
      '5 UPDATE nginx:5',
      '4 UPDATE nginx:4',
      '3 UPDATE nginx:3',
    ]);
    expect(await history(id)).toHaveLength(limit + 1);
    expect(refusal(await rollBack(id, 2))).toMatchObject({ code: 'VALIDATION_FAILED' });
    const pages: number[][] = [];
    for (let after: string | undefined, more = true; more;) {
      const { nodes, pageInfo, totalCount } = dataOf(
        await pageOf(id, { first: 2, ...(after ? { after } : {}) }),
      ).deploymentRevisions;
      expect(totalCount).toBe(limit + 1);
      pages.push(nodes.map(({ revision }) => revision));
      [after, more] = [pageInfo.endCursor ?? undefined, pageInfo.hasNextPage];
    }
    expect(pages).toEqual([[7, 6], [5, 4], [3]]);
    for (const args of [{ first: 0 }, { first: 10_000 }, { after: 'nonsense' }])
      expect(refusal(await pageOf(id, args))).toMatchObject({ code: 'BAD_REQUEST' });
    expect((await remove(id)).status).toBe(204);
    await reaches(id, 'DELETED');
    expect(await history(id)).toEqual([]);
    expect(
      await panel.sql('select 1 from hosting.deployment_revision where deployment_id = $1', [id]),
    ).toEqual([]);
  });

  test(
    'has what a version without revisions changed meanwhile, and of what was there before them the first',
    { timeout },
    async () => {
      const keyring = Keyring.parse(testSecretsKey);
      const byOlder = async (of: string, desired: object) =>
        panel.sql(`update hosting.deployment set sealed_desired = $2 where id = $1`, [
          of,
          keyring.seal(JSON.stringify(desired), of),
        ]);
      const first = { image: 'nginx:1', replicas: 1, env: { MODE: 'slow' }, ports: [] };
      const id = await running('older', { env: first.env });
      await byOlder(id, { ...first, image: 'nginx:2' });
      expect(await told(id)).toEqual(['1 CREATE nginx:1']);
      await changed(id, { image: 'nginx:3' });
      expect(await history(id)).toMatchObject([
        { revision: 3, changeCause: 'UPDATE', image: 'nginx:3', isWanted: true, changed: ['image'] },
        { revision: 2, changeCause: null, image: 'nginx:2', createdAt: null, createdBy: null },
        { revision: 1, changeCause: 'CREATE' },
      ]);
      dataOf(await rollBack(id, 2));
      expect(templateOf('older')?.spec.containers[0]?.image).toBe('nginx:2');

      // As it is where the step finds deployments.
      const found = await running('found', { env: first.env });
      await byOlder(found, first);
      await panel.sql('delete from hosting.deployment_revision');
      await panel.sql('update hosting.deployment set last_revision = 0');
      for (const statement of revisionsMigration.statements.filter((text) => /^(insert|update)/.test(text)))
        await panel.sql(statement);
      expect(await told(found)).toEqual(['1 null nginx:1 wanted']);
      await changed(found, { env: { MODE: 'fast' } });
      expect(await told(found)).toEqual(['2 UPDATE nginx:1 wanted', '1 null nginx:1']);
      dataOf(await rollBack(found, 1));
      expect(environment('found')).toEqual({ MODE: 'slow' });
    },
  );

  test('is sealed anew with another SECRETS_KEY, each revision of it', { timeout }, async () => {
    const id = await running('rotated', { env: { MODE: 'slow' } });
    await changed(id, { image: 'nginx:2' });
    await changed(id, { image: 'nginx:3' });
    const newKey = randomBytes(32).toString('base64');
    const database = await Database.open({
      area: 'hosting',
      url: panel.database.url,
      entities: [],
      poolSize: 2,
      logger: silentLogger,
    });
    const column = hostingSealedColumns.find(({ table }) => table === 'deployment_revision')!;
    // One at a time: it goes on behind the key of the one before.
    const { unreadable } = await reseal(database, Keyring.parse(`${newKey},${testSecretsKey}`), column, 1);
    await database.close();
    expect(unreadable).toEqual([]);
    const rows = await panel.sql<{ sealed: string }>(
      'select sealed_desired as sealed from hosting.deployment_revision where deployment_id = $1 order by revision',
      [id],
    );
    const only = Keyring.parse(newKey);
    expect(rows.map(({ sealed }) => (JSON.parse(only.open(sealed, id)) as { image: string }).image)).toEqual([
      'nginx:1',
      'nginx:2',
      'nginx:3',
    ]);
  });
});
