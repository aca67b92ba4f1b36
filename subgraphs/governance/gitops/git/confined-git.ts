import { writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

import { simpleGit, type SimpleGit } from 'simple-git';

import { bracketed, type GitAddress } from './address.js';
import type { GitCredential } from './credential.js';
import { knownAs } from './known-hosts.js';
import { keyLines } from './ssh-key.js';

/** What the operator says of git. */
export interface GitSettings {
  /** Where programs are looked for. */
  path: string;
  /** A file with the authorities that are trusted; the system's unless told. */
  certificates?: string | undefined;
}

/**
 * A git that sees nothing of this machine's settings, runs nothing that a repository brings along, and talks to the
 * addresses that were found to be allowed, whatever their name resolves to meanwhile. Secrets go by files of the folder
 * and by its environment, never by its arguments, which every user of the machine can read.
 */
export async function confinedGit({
  folder,
  address,
  addresses,
  credential,
  settings: { path, certificates },
  signal,
}: {
  folder: string;
  address: GitAddress;
  addresses: readonly string[];
  credential: GitCredential | undefined;
  settings: GitSettings;
  signal: AbortSignal;
}): Promise<SimpleGit> {
  const { protocol, host, port } = address;
  const config: [string, string][] = [
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.symlinks', 'false'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['fetch.fsckObjects', 'true'],
    ['fetch.recurseSubmodules', 'false'],
    ['submodule.recurse', 'false'],
    ['credential.helper', ''],
    // Another address would have to be looked at first.
    ['http.followRedirects', 'false'],
    ['http.proxy', ''],
    ['http.lowSpeedLimit', '1000'],
    ['http.lowSpeedTime', '20'],
    ['core.bigFileThreshold', '1m'],
    ['core.deltaBaseCacheLimit', '16m'],
    ['pack.threads', '1'],
  ];
  if (isIP(host) === 0)
    config.push(['http.curloptResolve', `${host}:${port}:${addresses.map(bracketed).join(',')}`]);
  if (credential?.kind === 'TOKEN') {
    const basic = Buffer.from(`${credential.username}:${credential.token}`).toString('base64');
    config.push(['http.extraHeader', `Authorization: Basic ${basic}`]);
  }
  const environment: Record<string, string> = {
    PATH: path,
    HOME: folder,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: protocol,
    GIT_PROTOCOL_FROM_USER: '0',
    // In one piece: some bytes of a pack say how a file of any size is made of another, and git makes it in memory.
    GIT_ALLOC_LIMIT: '64m',
    GIT_CONFIG_COUNT: String(config.length),
  };
  for (const [at, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${at}`] = key;
    environment[`GIT_CONFIG_VALUE_${at}`] = value;
  }
  if (certificates !== undefined) environment['GIT_SSL_CAINFO'] = certificates;
  if (protocol === 'ssh')
    Object.assign(environment, await sshSettings(folder, address, addresses, credential));
  return simpleGit({
    baseDir: folder,
    abort: signal,
    maxConcurrentProcesses: 1,
    allowEnvironment: Object.keys(environment),
    // What is allowed is what is set above; nothing of it comes from whoever set the repository up.
    unsafe: {
      allowUnsafeConfigPaths: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeGitProxy: true,
      allowUnsafeHooksPath: true,
      allowUnsafeSshCommand: true,
      allowUnsafeProtocolOverride: true,
    },
  }).env(environment);
}

/** Of the environment of git and what it starts: gone before ssh is. */
const keyVariable = 'PANEL_GIT_KEY';

/** Hands the key to an agent that ends with ssh. */
const withKey = `ssh-agent sh -c 'printf %s "$${keyVariable}" | ssh-add -q - 2>/dev/null; unset ${keyVariable}; exec "$@"' panel`;

/**
 * A private key is on no disk: whatever kills the panel in between leaves none behind. ssh-add reads it from a pipe, and
 * ssh asks an agent that is there for it alone.
 */
async function sshSettings(
  folder: string,
  { host, port }: GitAddress,
  [address = host]: readonly string[],
  credential: GitCredential | undefined,
): Promise<Record<string, string>> {
  const isKey = credential?.kind === 'SSH_KEY';
  const { alias, lines } = knownAs(host, port, isKey ? credential.knownHosts : '');
  const options: Record<string, string> = {
    BatchMode: 'yes',
    ConnectTimeout: '10',
    ForwardAgent: 'no',
    ClearAllForwardings: 'yes',
    PermitLocalCommand: 'no',
    ProxyCommand: 'none',
    StrictHostKeyChecking: 'yes',
    GlobalKnownHostsFile: '/dev/null',
    UserKnownHostsFile: join(folder, 'known_hosts'),
    HostKeyAlias: alias,
    HostName: address,
    IdentityAgent: isKey ? 'SSH_AUTH_SOCK' : 'none',
    IdentityFile: 'none',
    PreferredAuthentications: 'publickey',
  };
  await writeFile(join(folder, 'known_hosts'), lines, { mode: 0o600 });
  const words = Object.entries(options).map(([name, value]) => `-o '${name}=${value}'`);
  const ssh = ['ssh', '-F', '/dev/null', ...words].join(' ');
  // Or git would try out what kind of ssh it is.
  const variant = { GIT_SSH_VARIANT: 'ssh' };
  if (!isKey) return { ...variant, GIT_SSH_COMMAND: ssh };
  return { ...variant, GIT_SSH_COMMAND: `${withKey} ${ssh}`, [keyVariable]: keyLines(credential.privateKey) };
}
