import { createHmac, randomBytes } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { GitServer } from '../support/git-server.js';
import { Live } from '../support/live.js';
import { startTestPanel, type TestPanel } from '../support/panel.js';
import { until, type Tenant } from '../support/world.js';
import { create, encrypted, nodeWith, useScene } from './support/tenant.js';

let panel: TestPanel;
let git: GitServer;
beforeAll(async () => {
  panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1' });
  useScene(panel);
});
afterAll(async () => panel.stop());
beforeEach(async () => {
  git = await GitServer.start();
});
afterEach(async () => git[Symbol.asyncDispose]());

const policy = (name: string, more = '') => `apiVersion: v1
kind: Policy
metadata:
  name: ${name}
spec:
  rule: {condition: backup.encryption, operator: equals, value: true}
${more}
`;
const group = `apiVersion: v1
kind: InstanceGroup
metadata: {name: Web servers}
spec:
  filter: {tags: [web]}
`;
const alertRule = `apiVersion: v1
kind: AlertRule
metadata: {name: cpu}
spec: {threshold: 42, severity: warning}
`;

interface Config {
  id: string;
  syncStatus: string;
  health: string;
  lastSeenCommit: string | null;
  lastSyncedCommit: string | null;
  lastError: string | null;
  problems: { file: string | null; line: number | null; message: string }[];
  changes: { action: string; kind: string; name: string; heldBack: string | null; differences: unknown[] }[];
  commits: { sha: string; author: string; subject: string; outcome: string; changed: number }[];
}

const fields = `id syncStatus health lastSeenCommit lastSyncedCommit lastError problems { file line message }
  changes { action kind name heldBack differences { field actual declared } }
  commits { sha author subject outcome changed }`;

async function paying(): Promise<Tenant> {
  return (await panel.world.tenant()).grantPlan('PRO');
}

async function connected(tenant: Tenant, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await tenant.graphql<{ createGitOpsConfig: { id: string } }>(
    'mutation ($input: CreateGitOpsConfigInput!) { createGitOpsConfig(input: $input) { id } }',
    { input: { name: 'Fleet', repoUrl: git.url, autoSync: true, ...more } },
  );
  return dataOf(answer).createGitOpsConfig.id;
}

async function shown(tenant: Tenant, id: string): Promise<Config> {
  const answer = await tenant.graphql<{ gitOpsConfig: Config }>(
    `query ($id: ID!) { gitOpsConfig(id: $id) { ${fields} } }`,
    { id },
  );
  return dataOf(answer).gitOpsConfig;
}

/** Waits until a repository is shown so. */
async function seen(
  tenant: Tenant,
  id: string,
  isSo: (config: Config) => boolean,
  what: string,
): Promise<Config> {
  let last: Config | undefined;
  await until(async () => isSo((last = await shown(tenant, id))), what).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  });
  return last!;
}

const inForce = async (tenant: Tenant, id: string, sha: string) =>
  seen(
    tenant,
    id,
    (config) => config.lastSyncedCommit === sha && config.syncStatus === 'SYNCED',
    'it to be in force',
  );

async function call(tenant: Tenant, mutation: string, variables: Record<string, unknown>): Promise<void> {
  dataOf(await tenant.graphql(mutation, variables));
}
const refresh = async (tenant: Tenant, id: string) =>
  call(tenant, 'mutation ($id: ID!) { refreshGitOpsConfig(id: $id) { id } }', { id });
const sync = async (tenant: Tenant, id: string, prune = false) =>
  call(tenant, 'mutation ($input: SyncGitOpsConfigInput!) { syncGitOpsConfig(input: $input) { id } }', {
    input: { id, prune },
  });
const update = async (tenant: Tenant, id: string, input: Record<string, unknown>) =>
  call(
    tenant,
    'mutation ($id: ID!, $input: UpdateGitOpsConfigInput!) { updateGitOpsConfig(id: $id, input: $input) { id } }',
    { id, input },
  );

async function policies(tenant: Tenant): Promise<{ id: string; name: string; severity: string }[]> {
  const answer = await tenant.graphql<{
    policies: { nodes: { id: string; name: string; severity: string }[] };
  }>('{ policies { nodes { id name severity } } }');
  return dataOf(answer).policies.nodes;
}
const names = async (tenant: Tenant) => (await policies(tenant)).map(({ name }) => name);

describe('a commit', () => {
  test('is in force within a poll, whatever it declares, with its author in the history', async () => {
    const tenant = await paying();
    const first = await git.commit({ 'fleet/a.yaml': policy('Encrypted'), 'README.md': '# not read' });
    const id = await connected(tenant, { path: 'fleet' });
    await inForce(tenant, id, first);
    expect(await names(tenant)).toEqual(['Encrypted']);

    const second = await git.commit(
      {
        'fleet/a.yaml': `${policy('Encrypted', '  severity: high')}---\n${group}`,
        'fleet/deep/er/rules.yml': alertRule,
      },
      { message: 'Higher\n\nand more', author: 'Grace Hopper' },
    );
    await panel.clock.advance(181_000);
    const config = await inForce(tenant, id, second);
    expect(await policies(tenant)).toEqual([
      expect.objectContaining({ name: 'Encrypted', severity: 'HIGH' }),
    ]);
    const answer = await tenant.graphql<{
      instanceGroups: { nodes: unknown[] };
      alertRules: { kind: string; threshold: number | null; severity: string }[];
    }>('{ instanceGroups { nodes { name kind filter { tags } } } alertRules { kind threshold severity } }');
    expect(dataOf(answer).instanceGroups.nodes).toEqual([
      { name: 'Web servers', kind: 'LIVE', filter: { tags: ['web'] } },
    ]);
    expect(dataOf(answer).alertRules).toContainEqual({ kind: 'CPU', threshold: 42, severity: 'WARNING' });
    expect(config.commits).toEqual([
      { sha: second, author: 'Grace Hopper', subject: 'Higher', outcome: 'SYNCED', changed: 3 },
      { sha: first, author: 'Ada Lovelace', subject: 'A change', outcome: 'SYNCED', changed: 1 },
    ]);
    expect(config.health).toBe('HEALTHY');
  });

  test('waits for somebody where it is not put into force by itself, and the plan says what it would do', async () => {
    const tenant = await paying();
    await create(tenant, { name: 'encrypted', rule: encrypted, severity: 'LOW' });
    const sha = await git.commit({ 'a.yaml': `${policy('Encrypted')}---\n${group}` });
    const id = await connected(tenant, { autoSync: false });
    const config = await seen(tenant, id, ({ syncStatus }) => syncStatus === 'OUT_OF_SYNC', 'a plan');
    expect(config.changes).toEqual([
      {
        action: 'UPDATE',
        kind: 'Policy',
        name: 'Encrypted',
        heldBack: null,
        differences: [
          { field: 'name', actual: 'encrypted', declared: 'Encrypted' },
          { field: 'severity', actual: 'LOW', declared: 'MEDIUM' },
        ],
      },
      { action: 'CREATE', kind: 'InstanceGroup', name: 'Web servers', heldBack: null, differences: [] },
    ]);
    expect(config.commits[0]?.outcome).toBe('SEEN');
    expect(await names(tenant)).toEqual(['encrypted']);
    await sync(tenant, id);
    await sync(tenant, id);
    await inForce(tenant, id, sha);
    expect(await names(tenant)).toEqual(['Encrypted']);
  });

  test('that is broken leaves what was good in force, and is told with file and line', async () => {
    const tenant = await paying();
    const good = await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await inForce(tenant, id, good);
    const bad = await git.commit({
      'a.yaml': policy('Encrypted', '  severity: severe'),
      'b/c.yaml': `# a comment\n${policy('Other').replace('backup.encryption', 'backup.encription')}`,
      'd.yaml': 'a: [1, 2',
    });
    await refresh(tenant, id);
    const config = await seen(
      tenant,
      id,
      ({ lastSeenCommit }) => lastSeenCommit === bad,
      'the commit to be seen',
    );
    expect(config).toMatchObject({ syncStatus: 'UNKNOWN', health: 'DEGRADED', lastSyncedCommit: good });
    expect(config.problems).toEqual([
      { file: 'a.yaml', line: 7, message: expect.stringContaining('spec.severity: ') as string },
      {
        file: 'b/c.yaml',
        line: 7,
        message: expect.stringContaining('did you mean backup.encryption') as string,
      },
      { file: 'd.yaml', line: 1, message: expect.stringContaining('end with a ]') as string },
    ]);
    expect(config.commits[0]).toMatchObject({ sha: bad, outcome: 'REJECTED' });
    expect(await names(tenant)).toEqual(['Encrypted']);
    const { body } =
      await tenant.rest<{ last_error: string; sync_status: string; health: string }[]>(
        '/api/governance/gitops',
      );
    expect(body[0]).toMatchObject({
      sync_status: 'unknown',
      health: 'degraded',
      last_error: config.lastError,
    });
    expect(config.lastError).toMatch(/^a\.yaml:7: spec\.severity: /);
    // It stays so at each look, and the next good one mends it.
    const mended = await git.commit({ 'a.yaml': policy('Encrypted', '  severity: low') });
    await refresh(tenant, id);
    expect(await inForce(tenant, id, mended)).toMatchObject({ health: 'HEALTHY', problems: [] });
  });

  test('whose resource the panel refuses puts the others into force, and tells of it at its place', async () => {
    const tenant = await paying();
    const refused = group.replace('filter: {tags: [web]}', 'instance_ids: [inst_01m8k92t1sf249450kzv7aaaaa]');
    await git.commit({ 'a.yaml': `${refused}---\n${policy('Encrypted')}` });
    const id = await connected(tenant);
    const config = await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'the refusal');
    expect(config.problems).toEqual([
      {
        file: 'a.yaml',
        line: 1,
        message: expect.stringMatching(/^InstanceGroup Web servers: instanceIds\.0/) as string,
      },
    ]);
    expect(config).toMatchObject({ syncStatus: 'OUT_OF_SYNC', lastSyncedCommit: null });
    expect(config.commits[0]?.outcome).toBe('FAILED');
    expect(await names(tenant)).toEqual(['Encrypted']);
  });

  test('that declares what the panel never heard of is refused with words', async () => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': alertRule.replace('cpu', 'moon') });
    const id = await connected(tenant);
    const config = await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'the refusal');
    expect(config).toMatchObject({
      lastError: 'a.yaml:1: There is no AlertRule MOON',
      lastSyncedCommit: null,
    });
  });
});

describe('drift', () => {
  test('is shown, and is healed where that is wanted', async () => {
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await inForce(tenant, id, sha);
    const [made] = await policies(tenant);
    const change = async () =>
      call(tenant, 'mutation ($id: ID!) { updatePolicy(id: $id, input: { severity: CRITICAL }) { id } }', {
        id: made?.id,
      });
    await change();
    await refresh(tenant, id);
    const drifted = await seen(tenant, id, ({ syncStatus }) => syncStatus === 'OUT_OF_SYNC', 'the drift');
    expect(drifted.changes).toEqual([
      {
        action: 'UPDATE',
        kind: 'Policy',
        name: 'Encrypted',
        heldBack: null,
        differences: [{ field: 'severity', actual: 'CRITICAL', declared: 'MEDIUM' }],
      },
    ]);
    expect((await policies(tenant))[0]?.severity).toBe('CRITICAL');
    await update(tenant, id, { selfHeal: true });
    await seen(tenant, id, ({ syncStatus }) => syncStatus === 'SYNCED', 'it to be healed');
    expect((await policies(tenant))[0]?.severity).toBe('MEDIUM');
    await call(tenant, 'mutation ($id: ID!) { deletePolicy(id: $id) { id } }', { id: made?.id });
    await panel.clock.advance(181_000);
    await until(async () => (await names(tenant)).length === 1, 'what was removed to be made again');
  });

  test('is told live', async () => {
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    await using live = new Live<{
      gitOpsConfigChanged: { syncStatus: string; lastSyncedCommit: string | null };
    }>(panel.panel.url, tenant.token, 'subscription { gitOpsConfigChanged { syncStatus lastSyncedCommit } }');
    await live.opened();
    await connected(tenant);
    await until(
      async () => live.results.some(({ data }) => data?.gitOpsConfigChanged.lastSyncedCommit === sha),
      'the change to be told',
    );
  });
});

describe('what is declared no more', () => {
  const both = { 'a.yaml': policy('Encrypted'), 'b.yaml': policy('Kept') };
  const one = { 'b.yaml': policy('Kept') };

  test('stays, and is told, unless pruning is on; what came from elsewhere always stays', async () => {
    const tenant = await paying();
    await create(tenant, { name: 'By hand', rule: encrypted });
    await git.commit(both);
    const id = await connected(tenant);
    await inForce(tenant, id, await git.head());
    await git.commit(one);
    await refresh(tenant, id);
    const config = await seen(tenant, id, ({ syncStatus }) => syncStatus === 'OUT_OF_SYNC', 'what is left');
    expect(config.changes).toEqual([
      {
        action: 'DELETE',
        kind: 'Policy',
        name: 'Encrypted',
        differences: [],
        heldBack: expect.stringContaining('Pruning is off') as string,
      },
    ]);
    expect(await names(tenant)).toEqual(['By hand', 'Encrypted', 'Kept']);
    await update(tenant, id, { prune: true });
    await inForce(tenant, id, await git.head());
    expect(await names(tenant)).toEqual(['By hand', 'Kept']);
  });

  test('stays when the repository is emptied, or its history written anew, until somebody says so', async () => {
    const tenant = await paying();
    await git.commit(both);
    const id = await connected(tenant, { prune: true });
    await inForce(tenant, id, await git.head());
    const empty = await git.commit({ 'README.md': 'gone' });
    await refresh(tenant, id);
    await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === empty, 'the empty commit');
    expect(await names(tenant)).toEqual(['Encrypted', 'Kept']);

    await git.beginAnew();
    const anew = await git.commit(one, { force: true });
    await refresh(tenant, id);
    const config = await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === anew, 'the new history');
    expect(config.changes).toEqual([
      expect.objectContaining({
        action: 'DELETE',
        heldBack: expect.stringContaining('written anew') as string,
      }),
    ]);
    // Nor by a commit on top of it.
    const next = await git.commit({ ...one, 'c.yaml': policy('New') });
    await refresh(tenant, id);
    await seen(tenant, id, ({ lastSeenCommit }) => lastSeenCommit === next, 'the next commit');
    expect(await names(tenant)).toEqual(['Encrypted', 'Kept', 'New']);
    await sync(tenant, id, true);
    await inForce(tenant, id, next);
    expect(await names(tenant)).toEqual(['Kept', 'New']);
  });

  test('of another repository is not touched, and a thing is of one repository only', async () => {
    const tenant = await paying();
    await git.commit({ 'a/a.yaml': policy('Encrypted'), 'b/b.yaml': policy('encrypted') });
    const first = await connected(tenant, { name: 'First', path: 'a' });
    await inForce(tenant, first, await git.head());
    const second = await connected(tenant, { name: 'Second', path: 'b', prune: true });
    const config = await seen(tenant, second, ({ health }) => health === 'DEGRADED', 'the conflict');
    expect(config.problems).toEqual([
      {
        file: 'b/b.yaml',
        line: 1,
        message: 'Policy encrypted is declared by another repository of the tenant',
      },
    ]);
    expect(await names(tenant)).toEqual(['Encrypted']);
  });

  test('stays when the repository itself is forgotten', async () => {
    const tenant = await paying();
    await git.commit(both);
    const id = await connected(tenant, { prune: true });
    await inForce(tenant, id, await git.head());
    await call(tenant, 'mutation ($id: ID!) { deleteGitOpsConfig(id: $id) { id } }', { id });
    expect(await names(tenant)).toEqual(['Encrypted', 'Kept']);
    expect(
      refusal(await tenant.graphql('query ($id: ID!) { gitOpsConfig(id: $id) { id } }', { id })),
    ).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a desired version', () => {
  const version = (text: string) => `apiVersion: v1
kind: DesiredVersion
metadata: {name: all}
spec:
  version: "${text}"
  steps: [{percent: 50, bake_seconds: 60}]
`;

  test('comes to instances by one canary, however often it is looked at', async () => {
    const tenant = await paying();
    await nodeWith(tenant, { 'backup.encryption': true });
    await nodeWith(tenant, { 'backup.encryption': true });
    await git.commit({ 'a.yaml': version('0.3.0') });
    const id = await connected(tenant);
    const config = await seen(
      tenant,
      id,
      ({ health }) => health === 'PROGRESSING',
      'the canary to be under way',
    );
    expect(config.syncStatus).toBe('SYNCED');
    await refresh(tenant, id);
    const held = await seen(tenant, id, ({ changes }) => changes.length > 0, 'the change that is held back');
    expect(held.changes).toEqual([
      {
        action: 'UPDATE',
        kind: 'DesiredVersion',
        name: 'all',
        differences: [{ field: 'version', actual: '0.2.9', declared: '0.3.0' }],
        heldBack: expect.stringMatching(/^The canary can_\w+ is under way$/) as string,
      },
    ]);
    const answer = await tenant.graphql<{ canaries: { nodes: unknown[] } }>(
      '{ canaries { nodes { name params } } }',
    );
    expect(dataOf(answer).canaries.nodes).toEqual([{ name: 'all: 0.3.0', params: { version: '0.3.0' } }]);
  });
});

describe('a webhook', () => {
  const secret = 'a-secret-of-a-webhook';
  const post = async (id: string, headers: Record<string, string>, body = '{"ref":"refs/heads/main"}') =>
    fetch(`${panel.panel.url}/webhooks/gitops/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  const signature = (body: string) => createHmac('sha256', secret).update(body).digest('hex');

  test.each([
    ['GitHub', (body: string) => ({ 'x-hub-signature-256': `sha256=${signature(body)}` })],
    ['Gitea', (body: string) => ({ 'x-gitea-signature': signature(body) })],
    ['GitLab', () => ({ 'x-gitlab-token': secret })],
  ])('in the form of %s makes the panel look, and nothing else of it counts', async (_host, headersOf) => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant, { webhookSecret: secret });
    await inForce(tenant, id, await git.head());
    const sha = await git.commit({ 'a.yaml': policy('Encrypted', '  severity: low') });
    const body = JSON.stringify({
      ref: 'refs/heads/evil',
      after: 'f'.repeat(40),
      repository: { clone_url: 'http://x' },
    });
    expect((await post(id, headersOf(body), body)).status).toBe(202);
    await panel.clock.advance(2_000);
    await inForce(tenant, id, sha);
  });

  test('that is forged, or for what there is not, is refused and does nothing', async () => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant, { webhookSecret: secret });
    const silent = await connected(tenant, { name: 'Silent', path: 'nowhere' });
    await inForce(tenant, id, await git.head());
    await seen(tenant, silent, ({ health }) => health === 'DEGRADED', 'the other one to be looked at');
    const before = git.requests;
    const answers = await Promise.all([
      post(id, {}),
      post(id, { 'x-hub-signature-256': `sha256=${signature('another body')}` }),
      post(id, { 'x-hub-signature-256': 'sha256=', 'x-gitlab-token': secret }),
      post(id, { 'x-gitlab-token': `${secret}x` }),
      post(silent, { 'x-gitlab-token': secret }),
      post('git_01m8k92t1sf249450kzv7aaaaa', { 'x-gitlab-token': secret }),
      post('nonsense', { 'x-gitlab-token': secret }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(7).fill(401));
    await panel.clock.advance(10_000);
    expect(git.requests).toBe(before);
  });
});

describe('a repository', () => {
  test('that cannot be reached, read or found is told so, with no word of what it answered', async () => {
    const tenant = await paying();
    git.credential = 'somebody:else';
    await git.commit({ 'a.yaml': policy('Encrypted') });
    const closed = await connected(tenant, { name: 'Closed' });
    expect(
      (await seen(tenant, closed, ({ health }) => health === 'DEGRADED', 'the refusal')).problems,
    ).toEqual([
      { file: null, line: null, message: 'The repository refuses the credential, or asks for one' },
    ]);
    git.credential = undefined;
    const gone = await connected(tenant, { name: 'Gone', repoUrl: git.url.replace('fleet', 'nothing') });
    const branch = await connected(tenant, { name: 'Branch', branch: 'release/1' });
    for (const [id, message] of [
      [gone, 'There is no repository at this address'],
      [branch, 'There is no branch release/1'],
    ] as const)
      expect((await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'the refusal')).lastError).toBe(
        message,
      );
  });

  test('is opened by a token over TLS, which no answer, event or row shows', async () => {
    await using secure = await GitServer.start({ isSecure: true });
    const token = `token${randomBytes(12).toString('hex')}`;
    secure.credential = `git:${token}`;
    process.env['GIT_SSL_CAINFO'] = secure.certificateFile;
    try {
      const tenant = await paying();
      const sha = await secure.commit({ 'a.yaml': policy('Encrypted') });
      const id = await connected(tenant, {
        repoUrl: secure.url,
        credential: { token },
        webhookSecret: token,
      });
      await inForce(tenant, id, sha);
      // Whoever may set the address must not have the token sent to it.
      const moved = await tenant.graphql(
        'mutation ($id: ID!, $input: UpdateGitOpsConfigInput!) { updateGitOpsConfig(id: $id, input: $input) { id } }',
        { id, input: { repoUrl: `${secure.url}x` } },
      );
      expect(refusal(moved)['details']).toHaveProperty(['input.credential']);
      const rows = await panel.sql<{ row: string }>(
        `select to_jsonb(c)::text as row from governance.gitops_config c union all
         select to_jsonb(o)::text from governance.outbox o union all
         select to_jsonb(a)::text from identity.audit_event a`,
      );
      expect(rows.length).toBeGreaterThan(3);
      expect(rows.filter(({ row }) => row.includes(token))).toEqual([]);
      const answer = await tenant.graphql(
        `query ($id: ID!) { gitOpsConfig(id: $id) { ${fields} credentialKind takesWebhooks repoUrl } }`,
        { id },
      );
      expect(JSON.stringify(answer)).not.toContain(token);
      expect(dataOf(answer)).toMatchObject({
        gitOpsConfig: { credentialKind: 'TOKEN', takesWebhooks: true },
      });
    } finally {
      delete process.env['GIT_SSL_CAINFO'];
    }
  });

  test('is paused, and goes on', async () => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await inForce(tenant, id, await git.head());
    await update(tenant, id, { isPaused: true });
    const sha = await git.commit({ 'a.yaml': policy('Encrypted', '  severity: low') });
    expect(
      refusal(await tenant.graphql('mutation ($id: ID!) { refreshGitOpsConfig(id: $id) { id } }', { id })),
    ).toMatchObject({ code: 'CONFLICT', reason: 'GITOPS_PAUSED' });
    expect(await shown(tenant, id)).toMatchObject({ health: 'SUSPENDED' });
    await update(tenant, id, { isPaused: false });
    await inForce(tenant, id, sha);
  });

  test('is made and changed over REST, and lists as the contract says', async () => {
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    const made = await tenant.rest<{ id: string }>('/api/governance/gitops', {
      body: { name: 'Fleet', repo_url: git.url, auto_sync: true },
    });
    expect([made.status, made.body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^git_/) as string,
        name: 'Fleet',
        repo_url: git.url,
        branch: 'main',
        path: '',
        auto_sync: true,
        self_heal: false,
        prune: false,
        is_paused: false,
        sync_interval_seconds: 120,
        sync_status: 'unknown',
        health: 'unknown',
        last_synced_commit: null,
        last_synced_at: null,
        last_error: null,
        created_at: expect.any(String) as string,
        updated_at: expect.any(String) as string,
      },
    ]);
    await inForce(tenant, made.body.id, sha);
    const changed = await tenant.rest(`/api/governance/gitops/${made.body.id}`, {
      method: 'PUT',
      body: { sync_interval_seconds: 300 },
    });
    expect([changed.status, changed.body]).toEqual([
      200,
      expect.objectContaining({ sync_interval_seconds: 300, sync_status: 'synced', last_synced_commit: sha }),
    ]);
    const { body } = await tenant.rest<unknown[]>('/api/governance/gitops');
    expect(body).toHaveLength(1);
    const again = await tenant.rest('/api/governance/gitops', { body: { name: 'fleet', repo_url: git.url } });
    expect(again.status).toBe(409);
  });

  test.each([
    ['repoUrl', { repoUrl: 'http://169.254.169.254/latest' }],
    ['repoUrl', { repoUrl: 'http://10.0.0.1/x.git' }],
    ['repoUrl', { repoUrl: 'git@192.168.0.1:x.git' }],
    ['repoUrl', { repoUrl: 'ssh://git@[::1]/x.git' }],
    ['repoUrl', { repoUrl: 'file:///etc' }],
    ['repoUrl', { repoUrl: '/etc' }],
    ['repoUrl', { repoUrl: 'https://user:secret@example.com/x.git' }],
    ['branch', { branch: '--upload-pack=x' }],
    ['branch', { branch: 'a..b' }],
    ['path', { path: '../x' }],
    ['path', { path: ':(glob)**' }],
    ['syncIntervalSeconds', { syncIntervalSeconds: 5 }],
    ['selfHeal', { autoSync: false, selfHeal: true }],
    ['webhookSecret', { webhookSecret: 'short' }],
    ['credential.token', { credential: {} }],
    ['credential.token', { credential: { token: 'x' } }],
    ['credential.knownHosts', { credential: { sshPrivateKey: `-----BEGIN OPENSSH ${'PRIVATE'} KEY-----` } }],
    ['name', { name: ' ' }],
  ])('with a wrong %s is refused at that field: %j', async (field, input) => {
    const tenant = await paid;
    const answer = await tenant.graphql(
      'mutation ($input: CreateGitOpsConfigInput!) { createGitOpsConfig(input: $input) { id } }',
      { input: { name: 'Fleet', repoUrl: git.url, autoSync: true, ...input } },
    );
    expect(refusal(answer)).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(refusal(answer)['details']).toHaveProperty([`input.${field}`]);
  });

  test('of a tenant whose plan has governance no more puts nothing into force', async () => {
    const tenant = await paying();
    await git.commit({ 'a.yaml': policy('Encrypted') });
    const id = await connected(tenant);
    await inForce(tenant, id, await git.head());
    await tenant.grantPlan('FREE');
    await git.commit({ 'a.yaml': policy('Encrypted', '  severity: low') });
    await until(async () => {
      await refresh(tenant, id);
      return (await shown(tenant, id)).health === 'DEGRADED';
    }, 'governance to know of the plan');
    expect((await shown(tenant, id)).lastError).toBe(
      'The plan includes no governance: nothing is put into force',
    );
    expect((await policies(tenant))[0]?.severity).toBe('MEDIUM');
  });

  test('needs a plan with governance', async () => {
    const tenant = await panel.world.tenant();
    const answer = await tenant.graphql(
      'mutation ($input: CreateGitOpsConfigInput!) { createGitOpsConfig(input: $input) { id } }',
      { input: { name: 'Fleet', repoUrl: git.url } },
    );
    expect(refusal(answer)).toMatchObject({ code: 'PLAN_REQUIRED' });
  });

  let paid: Promise<Tenant>;
  beforeAll(() => {
    paid = paying();
  });
});
