import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const program = '/usr/sbin/sshd';

/** OpenSSH's server on loopback, which lets one key in and serves a repository as git would. */
export class SshGitServer implements AsyncDisposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'ssh-git-server-'));
  private server: ChildProcess | undefined;
  private port = 0;

  /** With a repository that is there. */
  static async start(bare: string): Promise<SshGitServer> {
    if (!existsSync(program)) throw new Error(`${program} is missing: install openssh-server`);
    const ssh = new SshGitServer(bare);
    await ssh.listen();
    return ssh;
  }

  private constructor(private readonly bare: string) {}

  get url(): string {
    return `ssh://${userInfo().username}@127.0.0.1:${this.port}${this.bare}`;
  }

  get privateKey(): string {
    return readFileSync(join(this.folder, 'client'), 'utf8');
  }

  get knownHosts(): string {
    return `127.0.0.1 ${readFileSync(join(this.folder, 'host.pub'), 'utf8')}`;
  }

  /** Files below the system's temporary folder that held a private key while a client was connected, one a line. */
  get keysSeen(): string {
    return readFileSync(join(this.folder, 'seen'), 'utf8');
  }

  async makeKey(name: string, passphrase = '', ...form: string[]): Promise<string> {
    const type = form.length > 0 ? form : ['-t', 'ed25519'];
    await run('ssh-keygen', ['-q', ...type, '-N', passphrase, '-C', 'test', '-f', join(this.folder, name)]);
    return readFileSync(join(this.folder, name), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server?.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async listen(): Promise<void> {
    await this.makeKey('host');
    await this.makeKey('client');
    writeFileSync(join(this.folder, 'seen'), '');
    // On behalf of whoever connects, which goes on meanwhile.
    const command = join(this.folder, 'command');
    writeFileSync(
      command,
      `#!/bin/sh
echo connected >> ${join(this.folder, 'seen')}
grep -rlI 'PRIVATE KEY' ${tmpdir()}/panel-git-* >> ${join(this.folder, 'seen')} 2>/dev/null
exec git-shell -c "$SSH_ORIGINAL_COMMAND"
`,
      { mode: 0o755 },
    );
    this.port = await freePort();
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
    const settings = {
      Port: this.port,
      ListenAddress: '127.0.0.1',
      HostKey: join(this.folder, 'host'),
      AuthorizedKeysFile: join(this.folder, 'client.pub'),
      ForceCommand: command,
      PidFile: 'none',
      StrictModes: 'no',
      UsePAM: 'no',
      PasswordAuthentication: 'no',
      PermitRootLogin: 'prohibit-password',
    };
    const file = join(this.folder, 'sshd_config');
    writeFileSync(
      file,
      Object.entries(settings)
        .map(([name, value]) => `${name} ${value}\n`)
        .join(''),
    );
    this.server = spawn(program, ['-D', '-e', '-f', file], { stdio: 'ignore' });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (this.server.exitCode !== null) throw new Error(`sshd ended with ${this.server.exitCode}`);
      const socket = connect(this.port, '127.0.0.1');
      const isUp = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'error').then(() => false),
      ]).catch(() => false);
      socket.destroy();
      if (isUp) return;
      await sleep(100);
    }
    throw new Error('sshd did not come up');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
