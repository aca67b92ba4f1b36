import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { viewer, type Rule } from '#sandbox/kubernetes/access.js';

import { Live } from '../support/live.js';
import { hasRedis, TestRedis } from '../support/redis.js';
import { until } from '../support/world.js';
import {
  cluster,
  clusterOf,
  registerOverRest,
  signedIn,
  startKubernetesPanel,
  type ClusterBody,
  type KubernetesPanel,
} from './support/kubernetes-panel.js';

/** By the machine's time, on a crowded machine. */
const longMs = 60_000;
/** What lets deployments be changed, but not made. */
const halfRules: readonly Rule[] = [
  { verbs: ['list', 'watch', 'patch', 'delete'], resources: ['deployments'] },
  { verbs: ['get', 'list'], resources: ['nodes', 'namespaces'] },
];

/** None that would sign rightly, which whoever takes the handshake need not mind. */
function rsaKey(bits: number): string {
  const number = (size: number) => {
    const bytes = randomBytes(size / 8);
    bytes[0]! |= 0x80;
    bytes[bytes.length - 1]! |= 1;
    return bytes.toString('base64url');
  };
  const [p, q, dp, dq, qi] = Array.from({ length: 5 }, () => number(bits / 2));
  const key = { kty: 'RSA', n: number(bits), e: 'AQAB', d: number(bits), p, q, dp, dq, qi };
  return createPrivateKey({ key, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }).toString();
}

let panel: KubernetesPanel;
beforeAll(async () => {
  panel = await startKubernetesPanel();
});
afterAll(async () => panel.stop());

describe('registering', () => {
  test('a cluster is contacted, identified and shown as the contract says; its kubeconfig is sealed and never answered', async () => {
    const [tenant, stranger] = [await panel.world.tenant(), await panel.world.tenant()];
    const sandbox = await panel.kubernetes({ version: 'v1.34.1' });
    const kubeconfig = sandbox.kubeconfig({ by: 'token' });
    const made = await registerOverRest(tenant, kubeconfig, { name: 'production-cluster', tags: ['web'] });
    const body = {
      id: expect.stringMatching(/^k8s_/) as unknown as string,
      name: 'production-cluster',
      provider: 'hetzner',
      version: '1.34',
      nodes: 3,
      status: 'healthy',
      region: 'eu-central',
    };
    expect(made).toMatchObject({ status: 201, body });
    expect(Object.keys(made.body)).toEqual(Object.keys(body));
    expect((await tenant.rest<ClusterBody[]>('/api/k8s/clusters')).body).toEqual([made.body]);
    expect((await tenant.rest('/api/k8s/clusters?status=offline')).body).toEqual([]);
    expect((await tenant.rest('/api/k8s/clusters?status=broken')).status).toBe(400);
    const path = `/api/k8s/clusters/${made.body.id}`;
    expect((await tenant.rest(path)).body).toEqual(made.body);
    expect((await stranger.rest(path)).status).toBe(404);
    expect((await stranger.rest(path, { method: 'PUT', body: { name: 'mine' } })).status).toBe(404);
    expect((await stranger.rest(path, { method: 'DELETE' })).status).toBe(404);
    expect(await clusterOf(tenant, made.body.id)).toMatchObject({
      cpuCores: 12,
      memoryGb: 24,
      nodesReady: 3,
      reason: null,
    });
    const rows = await panel.sql<{ row: string }>(
      'select c::text as row from hosting.cluster c where id = $1',
      [made.body.id],
    );
    const token = (JSON.parse(kubeconfig) as { users: { user: { token: string } }[] }).users[0]!.user.token;
    expect(rows[0]?.row).not.toContain(token.slice(0, 30));

    const again = await registerOverRest(tenant, kubeconfig);
    expect(again).toMatchObject({ status: 409, body: { details: { cluster: made.body.id } } });
    const other = await panel.kubernetes();
    const same = await registerOverRest(tenant, other.kubeconfig(), { name: 'Production-Cluster' });
    expect(same).toMatchObject({
      status: 409,
      body: { error: 'There is a cluster Production-Cluster already' },
    });
    expect((await registerOverRest(stranger, kubeconfig)).status).toBe(201);
    expect(
      (await tenant.rest(path, { method: 'PUT', body: { name: 'renamed', region: 'us-east' } })).body,
    ).toEqual({
      ...made.body,
      name: 'renamed',
      region: 'us-east',
    });
    expect((await tenant.rest(path, { method: 'DELETE' })).status).toBe(204);
    expect((await tenant.rest(path)).status).toBe(404);
    expect((await tenant.rest(path, { method: 'DELETE' })).status).toBe(404);
    await until(async () => sandbox.openWatches === 1, 'the watch for the one that is left');
  });

  test('nothing of a kubeconfig is run or read, and a server is known by its certificate', async () => {
    const tenant = await panel.world.tenant();
    const sandbox = await panel.kubernetes();
    const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
    const trace = join(folder, 'was-run');
    const changed = (cluster: object, user: object) => {
      const config = JSON.parse(sandbox.kubeconfig()) as {
        clusters: { cluster: object }[];
        users: { user: object }[];
      };
      Object.assign(config.clusters[0]!.cluster, cluster);
      Object.assign(config.users[0]!.user, user);
      return JSON.stringify(config);
    };
    const authority = (await panel.kubernetes()).authority;
    const withKey = (key: string) => changed({}, { 'client-key-data': Buffer.from(key).toString('base64') });
    const ed448 = generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const manyKeys = Array.from({ length: 10_000 }, (_, at) => `k${at.toString(36)}: 1`).join();
    const refused = {
      [changed(
        {},
        { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: [trace] } },
      )]: /^exec runs a program/,
      [changed({}, { 'auth-provider': { name: 'gcp' } })]: /^auth-provider/,
      [changed({}, { tokenFile: '/etc/passwd' })]: /^tokenFile reads a file/,
      [changed({}, { 'client-key': '/etc/passwd' })]: /^client-key reads a file/,
      [changed({ 'certificate-authority': '/etc/passwd' }, {})]: /^certificate-authority reads a file/,
      [changed({ 'insecure-skip-tls-verify': true }, {})]: /^insecure-skip-tls-verify/,
      [changed({ 'proxy-url': 'http://127.0.0.1:9' }, {})]: /^proxy-url/,
      [changed({ server: 'http://127.0.0.1:6443' }, {})]: /https/,
      [changed({ server: 'https://169.254.169.254/' }, {})]: /is not a public address/,
      [changed({ server: 'https://10.0.0.7:6443' }, {})]: /is not a public address/,
      [changed({ server: 'https://192.168.1.1:6443' }, {})]: /is not a public address/,
      [changed({ server: 'https://[::1]:6443' }, {})]: /is not a public address/,
      [changed({ server: 'https://0x7f000002:6443' }, {})]: /is not a public address/,
      [changed({ server: 'https://127.0.0.1:22' }, {})]: /Port 22/,
      [changed({ 'certificate-authority-data': Buffer.from(authority).toString('base64') }, {})]:
        /certificate is not good/,
      [withKey(rsaKey(16_384))]: /^client-key-data must be an RSA key of at most 4096 bits/,
      [withKey(rsaKey(4_224))]: /^client-key-data must be an RSA key of at most 4096 bits/,
      [withKey(rsaKey(4_096))]: /^client-key-data is not the key of client-certificate-data/,
      [withKey(ed448)]: /^client-key-data must be an RSA key/,
      [sandbox.kubeconfig({ user: 'reader', rules: viewer })]:
        /may not create deployments, patch deployments, delete deployments/,
      [sandbox.kubeconfig({ user: 'half', rules: halfRules })]:
        /may not get deployments, create deployments in/,
      [sandbox.kubeconfig({ user: 'brief', forMs: -1_000 })]: /ended at/,
      '{a: 1': /no YAML/,
      'a: &a [1]\nb: [*a, *a]': /no YAML/,
      'current-context: a\ncurrent-context: b': /^current-context is there twice$/,
      '{clusters: [{name: a, name: b}]}': /^name is there twice$/,
      [`{${manyKeys}}`]: /^A document has more than 10000 parts/,
      ['['.repeat(60_000)]: /^A document has more than 10000 parts/,
      'a: 1\n---\nb: 1': /no YAML/,
      '- 1': /no kubeconfig/,
      '{}': /current-context/,
    };
    for (const [kubeconfig, sentence] of Object.entries(refused)) {
      const { status, body } = await registerOverRest(tenant, kubeconfig);
      expect({ status, sentence: String(body.details?.['kubeconfig']) }).toEqual({
        status: 422,
        sentence: expect.stringMatching(sentence) as unknown as string,
      });
    }
    expect(existsSync(trace)).toBe(false);
    const unknown = sandbox.kubeconfig({ user: 'gone' });
    sandbox.revoke('gone');
    expect((await registerOverRest(tenant, unknown)).body.details).toEqual({
      kubeconfig: 'The cluster does not know its user',
    });
    const away = await panel.kubernetes();
    const kubeconfig = away.kubeconfig();
    away.setAway(true);
    expect(await registerOverRest(tenant, kubeconfig)).toMatchObject({ status: 503 });
    expect((await registerOverRest(tenant, '', { kubeconfig: undefined })).status).toBe(422);
    expect((await registerOverRest(tenant, kubeconfig, { colour: 'red' })).body.details).toHaveProperty(
      'colour',
    );
    expect((await tenant.rest<unknown[]>('/api/k8s/clusters')).body).toEqual([]);
  });

  test('a credential shows when it ends before it does, and is replaced in place by one of the same cluster', async () => {
    const owner = await panel.world.tenant();
    const sandbox = await panel.kubernetes();
    const dayMs = 86_400_000;
    const id = await cluster(owner, sandbox, { access: { user: 'first', by: 'token', forMs: 15 * dayMs } });
    const endsAt = Math.floor((panel.clock.now().getTime() + 15 * dayMs) / 1000) * 1000;
    const fresh = await clusterOf(owner, id);
    expect({ at: Date.parse(fresh.credentialExpiresAt!), reason: fresh.reason }).toEqual({
      at: endsAt,
      reason: null,
    });
    await panel.clock.leap(2 * dayMs);
    const tenant = await signedIn(owner);
    expect(await clusterOf(tenant, id)).toMatchObject({
      reason: 'CREDENTIAL_ENDING',
      message: expect.stringContaining(new Date(endsAt).toISOString()) as unknown as string,
    });
    const other = await panel.kubernetes();
    const path = `/api/k8s/clusters/${id}`;
    const put = async (kubeconfig: string) => tenant.rest(path, { method: 'PUT', body: { kubeconfig } });
    expect(await put(other.kubeconfig())).toMatchObject({ status: 409 });
    expect(await put(sandbox.kubeconfig({ user: 'second' }))).toMatchObject({ status: 200, body: { id } });
    expect(await clusterOf(tenant, id)).toMatchObject({ reason: null, status: 'HEALTHY' });
    // The watch goes on with the new one alone.
    await until(async () => sandbox.openWatches === 1, 'one watch');
    sandbox.revoke('first');
    await panel.seconds(45);
    expect(await clusterOf(tenant, id)).toMatchObject({ status: 'HEALTHY' });
    sandbox.revoke('second');
    sandbox.cutWatches();
    await panel.pass(
      async () => (await clusterOf(tenant, id)).reason === 'CREDENTIAL_REFUSED',
      'the refusal',
    );
    expect(await clusterOf(tenant, id)).toMatchObject({ status: 'DEGRADED' });
  });
});

describe('health', () => {
  test(
    '29 seconds away are nothing, 31 are offline, and 30 well ones healthy again',
    { timeout: 240_000 },
    async () => {
      const owner = await panel.world.tenant();
      // One that is kept may end a moment before it is used again: then the panel has noticed without a request.
      const sandbox = await panel.kubernetes({ keepsAlive: false });
      const id = await cluster(owner, sandbox);
      await using live = new Live(
        panel.panel.url,
        owner.token,
        'subscription { clusterChanged { id status reason } }',
      );
      await live.opened();
      await until(async () => sandbox.openWatches === 1, 'a watch', longMs);
      const looks = () => sandbox.requests()['GET /api/v1/namespaces/{name}'] ?? 0;
      const away = async (seconds: number, status: string) => {
        // An outage is as old as the look that met it: none is under way when it begins.
        const looked = looks();
        await panel.pass(() => looks() > looked, 'a look');
        await clusterOf(owner, id);
        const before = sandbox.requests()['away'] ?? 0;
        sandbox.setAway(true);
        await until(async () => (sandbox.requests()['away'] ?? 0) > before, 'the panel to notice', longMs);
        await panel.seconds(seconds);
        // Time stands still meanwhile.
        await until(
          async () => (await clusterOf(owner, id)).status === status,
          `${status} after ${seconds} s`,
          longMs,
        );
        sandbox.setAway(false);
      };
      await away(29, 'HEALTHY');
      await panel.pass(() => sandbox.openWatches === 1, 'the watch again');
      await panel.seconds(40);
      const changes = await panel.sql<{ to: string }>(
        `select payload->>'to' as to from hosting.outbox where entity_id = $1 and topic = 'hosting.cluster.changed'`,
        [id],
      );
      expect(new Set(changes.map(({ to }) => to))).toEqual(new Set(['HEALTHY']));
      await away(31, 'OFFLINE');
      expect(await clusterOf(owner, id)).toMatchObject({ status: 'OFFLINE', reason: 'UNREACHABLE' });
      await panel.seconds(25);
      expect(await clusterOf(owner, id)).toMatchObject({ status: 'OFFLINE' });
      await panel.pass(async () => (await clusterOf(owner, id)).status === 'HEALTHY', 'health');
      await until(
        async () => live.results.some(({ data }) => JSON.stringify(data).includes('OFFLINE')),
        'the event',
        longMs,
      );
    },
  );

  test('what a cluster says of itself is seen: nodes, version, and that it is not ready', async () => {
    const owner = await panel.world.tenant();
    const sandbox = await panel.kubernetes();
    const id = await cluster(owner, sandbox);
    sandbox.setNode({ name: 'worker-3', cpu: 8, memoryGb: 32, isReady: false, version: 'v1.36.0' });
    sandbox.setVersion('v1.36.0');
    await panel.pass(async () => (await clusterOf(owner, id)).version === '1.36', 'the version');
    expect(await clusterOf(owner, id)).toMatchObject({ nodes: 4, nodesReady: 3, cpuCores: 20, memoryGb: 56 });
    sandbox.setUnready('etcd');
    await panel.pass(async () => (await clusterOf(owner, id)).status === 'DEGRADED', 'that it is not ready');
    expect(await clusterOf(owner, id)).toMatchObject({ reason: 'NOT_READY' });
  });
});

// Debian's redis-server; .ci/run installs it.
test.skipIf(!hasRedis)(
  'of two processes one watches a cluster, and the other goes on where that left off',
  async () => {
    await using redis = await TestRedis.start();
    await using first = await startKubernetesPanel({ REDIS_URL: redis.url });
    await first.another();
    const sandbox = await first.kubernetes();
    const tenant = await first.world.tenant();
    const id = await cluster(tenant, sandbox);
    const lists = () => sandbox.requests()['GET /apis/apps/v1/deployments'] ?? 0;
    const watcher = async () =>
      (
        await first.sql<{ watcher: string | null }>('select watcher from hosting.cluster where id = $1', [id])
      )[0]?.watcher;
    await until(async () => sandbox.openWatches === 1, 'a watch');
    const [known, before] = [lists(), await watcher()];
    await first.panel.stop();
    await until(async () => ![before, null].includes(await watcher()), 'the other process');
    await until(async () => sandbox.openWatches === 1 && lists() > known, 'its watch');
    // One request: a watch, and no list before it.
    expect(lists()).toBe(known + 1);
  },
);
