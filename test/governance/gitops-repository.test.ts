import { createHmac, randomBytes } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { dataOf, refusal } from '../support/answers.js';
import { GitServer } from '../support/git-server.js';
import { SshGitServer } from '../support/ssh-git-server.js';
import { until, type Tenant } from '../support/world.js';
import {
  connected,
  fields,
  forgetRepository,
  git,
  inForce,
  newRepository,
  panel,
  paying,
  policies,
  policy,
  refresh,
  seen,
  shown,
  start,
  update,
} from './support/gitops.js';

let secure: GitServer;
beforeAll(async () => {
  secure = await GitServer.start({ isSecure: true });
  await start({ GIT_SSL_CAINFO: secure.certificateFile });
});
afterAll(async () => {
  await panel.stop();
  await secure[Symbol.asyncDispose]();
});
beforeEach(newRepository);
afterEach(forgetRepository);

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

describe('a repository', { timeout: 120_000 }, () => {
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
    const token = `token${randomBytes(12).toString('hex')}`;
    secure.credential = `git:${token}`;
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
  });

  test('is opened by a key over SSH, which is on no disk meanwhile, and by no other key and of no other host', async () => {
    await using ssh = await SshGitServer.start(git.bare);
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    const { privateKey: sshPrivateKey, knownHosts } = ssh;
    const key = { repoUrl: ssh.url, credential: { sshPrivateKey, knownHosts } };
    await inForce(tenant, await connected(tenant, key), sha);
    expect(ssh.keysSeen).toMatch(/^(connected\n)+$/);
    const other = await connected(tenant, {
      ...key,
      name: 'Other key',
      credential: { sshPrivateKey: await ssh.makeKey('other'), knownHosts },
    });
    const elsewhere = await connected(tenant, {
      ...key,
      name: 'Other host',
      credential: { sshPrivateKey, knownHosts: `other.example ${knownHosts.split(' ').slice(1).join(' ')}` },
    });
    for (const [id, message] of [
      [other, 'The repository refuses the credential, or asks for one'],
      [elsewhere, 'The host key is not the one in `knownHosts`'],
    ] as const)
      expect((await seen(tenant, id, ({ health }) => health === 'DEGRADED', 'the refusal')).lastError).toBe(
        message,
      );
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
