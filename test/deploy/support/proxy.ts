import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { assetPath } from '#platform/package-root.js';

import { freePort } from '../../support/process.js';

/** The name that the configurations in deploy/ carry. */
export const hostName = 'panel.example.com';

export interface ProxyKind {
  name: string;
  /** Below deploy/proxy. */
  file: string;
  /** Whether its program is on this machine. */
  isThere: boolean;
  /** The shipped configuration with this test's ports and certificate in it. */
  configure: (text: string, place: Place) => string;
  command: (config: string, folder: string) => [string, ...string[]];
}

interface Place {
  folder: string;
  port: number;
  panelPort: number;
}

const isThere = (program: string, flag: string) => spawnSync(program, [flag]).status === 0;

/** Replaces what has to be there, so that a configuration which has changed does not slip by. */
function put(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the configuration has no "${from}"`);
  return text.replaceAll(from, to);
}

export const proxies: readonly ProxyKind[] = [
  {
    name: 'Caddy',
    file: 'Caddyfile',
    isThere: isThere('caddy', 'version'),
    configure: (text, { folder, port, panelPort }) => {
      const site = put(
        text,
        `${hostName} {`,
        `https://${hostName}:${port} {\n\ttls ${folder}/cert.pem ${folder}/key.pem`,
      );
      return `{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n${put(site, '127.0.0.1:4000', `127.0.0.1:${panelPort}`)}`;
    },
    command: (config) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', config],
  },
  {
    name: 'nginx',
    file: 'nginx.conf',
    isThere: isThere('nginx', '-v'),
    configure: (text, { folder, port, panelPort }) => {
      let site = put(text, 'listen 443', `listen 127.0.0.1:${port}`);
      site = put(site, '/etc/ssl/panel/fullchain.pem', `${folder}/cert.pem`);
      site = put(site, '/etc/ssl/panel/privkey.pem', `${folder}/key.pem`);
      site = put(site, '127.0.0.1:4000', `127.0.0.1:${panelPort}`);
      return `daemon off; pid ${folder}/nginx.pid; error_log stderr; events {}\nhttp { access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;\n${site}}`;
    },
    command: (config, folder) => ['nginx', '-c', config, '-p', folder],
  },
  {
    name: 'haproxy',
    file: 'haproxy.cfg',
    isThere: isThere('haproxy', '-v'),
    configure: (text, { folder, port, panelPort }) => {
      let site = put(text, 'bind :443', `bind 127.0.0.1:${port}`);
      site = put(site, '/etc/haproxy/certs/panel.pem', `${folder}/both.pem`);
      return put(site, '127.0.0.1:4000', `127.0.0.1:${panelPort}`);
    },
    command: (config) => ['haproxy', '-db', '-q', '-f', config],
  },
];

/** A proxy of the shipped configuration in front of a panel on this machine. */
export class Proxy implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(kind: ProxyKind, panelPort: number): Promise<Proxy> {
    const folder = mkdtempSync(join(tmpdir(), 'panel-proxy-'));
    makeCertificate(folder);
    const port = await freePort();
    const config = join(folder, 'config');
    const shipped = readFileSync(assetPath('deploy', 'proxy', kind.file), 'utf8');
    writeFileSync(config, kind.configure(shipped, { folder, port, panelPort }));
    const [program, ...args] = kind.command(config, folder);
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    });
    let text = '';
    child.stderr!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    while (!(await isListening(port))) {
      if (child.exitCode !== null) throw new Error(`${kind.name} has ended:\n${text}`);
      await sleep(20);
    }
    return new Proxy(child, folder, port);
  }

  /** What a browser elsewhere would get: over TLS, by name, from an address that is not the proxy's own. */
  async call(path: string, options: CallOptions = {}): Promise<{ status: number; body: unknown }> {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          ...this.tls,
          path,
          localAddress: options.from ?? '127.0.0.1',
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            host: hostName,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...options.headers,
          },
        },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: readJson(text) }));
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  get tls() {
    return { host: '127.0.0.1', port: this.port, servername: hostName, rejectUnauthorized: false };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGKILL');
      await once(this.child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
  /** The client's address, on the loopback net. */
  from?: string;
}

function makeCertificate(folder: string): void {
  const made = spawnSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
      .concat(['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', `/CN=${hostName}`])
      .concat(['-addext', `subjectAltName=DNS:${hostName}`]),
    { cwd: folder },
  );
  if (made.status !== 0) throw new Error(`no certificate: ${made.stderr.toString()}`);
  const [cert, key] = ['cert.pem', 'key.pem'].map((file) => readFileSync(join(folder, file), 'utf8'));
  writeFileSync(join(folder, 'both.pem'), `${cert}${key}`);
}

async function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
