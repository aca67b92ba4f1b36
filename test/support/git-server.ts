import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A repository that git's own `http-backend` serves on loopback, and a working copy to commit in. */
export class GitServer implements AsyncDisposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'git-server-'));
  private server!: Server;
  /** `user:password`, once it is asked for. */
  credential: string | undefined;
  requests = 0;

  private constructor(private readonly isSecure: boolean) {}

  static async start({ isSecure = false } = {}): Promise<GitServer> {
    const git = new GitServer(isSecure);
    git.server = isSecure ? await git.secureServer() : createServer(git.answer);
    git.server.listen(0, '127.0.0.1');
    await once(git.server, 'listening');
    await git.git('init', '--quiet', '--initial-branch=main', git.working);
    await git.git('init', '--quiet', '--bare', '--initial-branch=main', git.bare);
    // What is large is handed out as it is.
    for (const folder of [git.working, git.bare]) {
      await git.git('-C', folder, 'config', 'core.compression', '0');
      await git.git('-C', folder, 'config', 'core.bigFileThreshold', '1m');
    }
    return git;
  }

  get url(): string {
    return `http${this.isSecure ? 's' : ''}://127.0.0.1:${(this.server.address() as AddressInfo).port}/fleet.git`;
  }

  /** Of a secure server: what its certificate is checked against. */
  get certificateFile(): string {
    return join(this.folder, 'certificate.pem');
  }

  private readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    void this.serve(request, response);
  };

  private async secureServer(): Promise<Server> {
    const key = join(this.folder, 'key.pem');
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
    await run('openssl', ['req', '-x509', ...made, '-out', this.certificateFile, '-days', '2', ...subject]);
    return createSecureServer(
      { key: readFileSync(key), cert: readFileSync(this.certificateFile) },
      this.answer,
    ) as unknown as Server;
  }

  private get working(): string {
    return join(this.folder, 'working');
  }

  /** The folder of the repository that is served. */
  get bare(): string {
    return join(this.folder, 'fleet.git');
  }

  /** Commits these files and no others, and pushes; answers the commit. */
  async commit(
    files: Record<string, string | Buffer>,
    { message = 'A change', author = 'Ada Lovelace', force = false, amend = false } = {},
  ): Promise<string> {
    await this.git('-C', this.working, 'rm', '-r', '--force', '--quiet', '--ignore-unmatch', '.');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.working, path)), { recursive: true });
      writeFileSync(join(this.working, path), text);
    }
    const as = ['-c', `user.name=${author}`, '-c', 'user.email=author@example.test'];
    await this.git('-C', this.working, 'add', '--all');
    await this.git(
      ...as,
      '-C',
      this.working,
      'commit',
      '--quiet',
      '--allow-empty',
      '-m',
      message,
      ...(amend ? ['--amend', '--reset-author'] : []),
    );
    await this.git(
      '-C',
      this.working,
      'push',
      '--quiet',
      ...(force ? ['--force'] : []),
      this.bare,
      'HEAD:refs/heads/main',
    );
    return this.head();
  }

  /** From now on large files are handed out as what they differ by from others, which is some bytes of a pack. */
  async packDifferences(): Promise<void> {
    for (const [key, value] of [
      ['core.bigFileThreshold', '1g'],
      ['core.compression', '1'],
    ] as const)
      await this.git('-C', this.bare, 'config', key, value);
    await this.git('-C', this.bare, 'repack', '-a', '-d', '-F', '--quiet');
  }

  /** Makes the branch end at an earlier commit. */
  async goBack(sha: string): Promise<void> {
    await this.git('-C', this.working, 'reset', '--quiet', '--hard', sha);
    await this.git('-C', this.working, 'push', '--quiet', '--force', this.bare, 'HEAD:refs/heads/main');
  }

  /** Forgets all that was committed. */
  async beginAnew(): Promise<void> {
    await this.git('-C', this.working, 'checkout', '--quiet', '--orphan', 'anew');
  }

  async head(): Promise<string> {
    return (await this.git('-C', this.working, 'rev-parse', 'HEAD')).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async git(...args: string[]): Promise<string> {
    const env = { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
    return (await run('git', args, { env })).stdout;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const given = request.headers.authorization;
    if (
      this.credential !== undefined &&
      given !== `Basic ${Buffer.from(this.credential).toString('base64')}`
    ) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const { pathname, search } = new URL(request.url ?? '/', 'http://git');
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: this.folder,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
        REQUEST_METHOD: request.method,
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        CONTENT_TYPE: request.headers['content-type'],
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(backend.stdin);
    // Whoever has seen enough goes away.
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
      backend.kill();
    });
    let head = Buffer.alloc(0);
    for await (const chunk of backend.stdout as AsyncIterable<Buffer>) {
      if (response.destroyed) return;
      if (!response.headersSent) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) continue;
        const { Status: status = '200', ...rest } = headersOf(head.subarray(0, end));
        response.writeHead(Number.parseInt(status, 10), rest).write(head.subarray(end + 4));
      } else if (!response.write(chunk)) {
        await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
      }
    }
    response.end();
  }
}

function headersOf(head: Buffer): Record<string, string> {
  return Object.fromEntries(
    head
      .toString()
      .split('\r\n')
      .map((line) => line.split(/: ?/, 2) as [string, string]),
  );
}
