import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { refusal } from '../support/answers.js';
import { SshGitServer } from '../support/ssh-git-server.js';
import {
  connected,
  forgetRepository,
  git,
  newRepository,
  panel,
  paying,
  policy,
  seen,
  start,
} from './support/gitops.js';

beforeAll(async () => start());
afterAll(async () => panel.stop());
beforeEach(newRepository);
afterEach(forgetRepository);

/** Connections take their time on a busy machine. */
const longMs = 60_000;

const hashed = (name: string) => {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

describe('a repository over SSH on a port of its own', { timeout: 240_000 }, () => {
  test('is known by the lines of its port or of its host, hashed or not, and by no line of another port', async () => {
    await using ssh = await SshGitServer.start(git.bare);
    const { port } = new URL(ssh.url);
    const scanned = await promisify(execFile)('ssh-keyscan', ['-p', port, '127.0.0.1']);
    expect(scanned.stdout).toContain(`[127.0.0.1]:${port} `);
    const key = ssh.knownHosts.split(' ').slice(1).join(' ');
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    const by = async (name: string, knownHosts: string) =>
      connected(tenant, {
        name,
        path: '',
        repoUrl: ssh.url,
        autoSync: false,
        credential: { sshPrivateKey: ssh.privateKey, knownHosts },
      });
    const known = await connected(tenant, {
      name: 'Scanned',
      repoUrl: ssh.url,
      credential: { sshPrivateKey: ssh.privateKey, knownHosts: scanned.stdout },
    });
    await seen(
      tenant,
      known,
      ({ lastSyncedCommit }) => lastSyncedCommit === sha,
      'it to be in force',
      longMs,
    );
    for (const [name, whom] of [
      ['Port, hashed', hashed(`[127.0.0.1]:${port}`)],
      ['Host, hashed', hashed('127.0.0.1')],
      ['Host, by a pattern', 'git.example,127.0.0.*'],
    ] as const) {
      const id = await by(name, `# of ${name}\n${whom} ${key}`);
      await seen(
        tenant,
        id,
        ({ lastSeenCommit }) => lastSeenCommit === sha,
        `the repository by ${name}`,
        longMs,
      );
    }
    for (const [name, whom] of [
      ['Another port', '[127.0.0.1]:22'],
      ['Another host, hashed', hashed('127.0.0.2')],
      ['Not this one', '!127.0.0.1,127.0.0.*'],
    ] as const) {
      const id = await by(name, `${whom} ${key}`);
      const { lastError } = await seen(
        tenant,
        id,
        ({ health }) => health === 'DEGRADED',
        `no ${name}`,
        longMs,
      );
      expect([name, lastError]).toEqual([name, 'The host key is not the one in `knownHosts`']);
    }
  });

  test('is opened by a key with line breaks of Windows, with an indentation, and without its last line break', async () => {
    await using ssh = await SshGitServer.start(git.bare);
    const { privateKey, knownHosts } = ssh;
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    for (const [name, sshPrivateKey] of [
      ['Windows', privateKey.replaceAll('\n', '\r\n')],
      ['Indented', privateKey.replaceAll(/^/gm, '  ')],
      ['Trimmed', privateKey.trim()],
    ] as const) {
      const id = await connected(tenant, {
        name,
        path: '',
        repoUrl: ssh.url,
        autoSync: false,
        credential: { sshPrivateKey, knownHosts: knownHosts.replaceAll('\n', '\r\n') },
      });
      const { problems } = await seen(
        tenant,
        id,
        ({ lastSeenCommit, health }) => lastSeenCommit === sha || health === 'DEGRADED',
        `the repository, ${name}`,
        longMs,
      );
      expect([name, problems]).toEqual([name, []]);
    }
  });

  test('takes no key that is cut off or has a passphrase, and says so', async () => {
    await using ssh = await SshGitServer.start(git.bare);
    const tenant = await paying();
    const made = [
      [await ssh.makeKey('sealed', 'a passphrase'), 'It must have no passphrase'],
      [
        await ssh.makeKey('older', 'a passphrase', '-t', 'rsa', '-b', '2048', '-m', 'PEM'),
        'It must have no passphrase',
      ],
      [
        await ssh.makeKey('newer', 'a passphrase', '-t', 'rsa', '-b', '2048', '-m', 'PKCS8'),
        'It must have no passphrase',
      ],
      [ssh.privateKey.trim().slice(0, -10), 'It must be whole, from BEGIN to END'],
    ] as const;
    for (const [sshPrivateKey, message] of made) {
      const answer = await tenant.graphql(
        'mutation ($input: CreateGitOpsConfigInput!) { createGitOpsConfig(input: $input) { id } }',
        {
          input: { name: 'Key', repoUrl: ssh.url, credential: { sshPrivateKey, knownHosts: ssh.knownHosts } },
        },
      );
      expect(refusal(answer)).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { 'input.credential.sshPrivateKey': message },
      });
    }
  });

  test('is looked at by the whole name of its branch', async () => {
    await using ssh = await SshGitServer.start(git.bare);
    const tenant = await paying();
    const sha = await git.commit({ 'a.yaml': policy('Encrypted') });
    await promisify(execFile)('git', ['-C', git.bare, 'update-ref', 'refs/heads/a/refs/heads/main', sha]);
    const { privateKey: sshPrivateKey, knownHosts } = ssh;
    const id = await connected(tenant, { repoUrl: ssh.url, credential: { sshPrivateKey, knownHosts } });
    const { problems } = await seen(
      tenant,
      id,
      ({ lastSyncedCommit, health }) => lastSyncedCommit === sha || health === 'DEGRADED',
      'it to be in force',
      longMs,
    );
    expect(problems).toEqual([]);
  });
});
