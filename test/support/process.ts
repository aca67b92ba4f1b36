import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageRoot } from '#platform/package-root.js';

/** All that programs get of this process's environment, and where they keep what they have compiled: 4 000 modules at each start. */
const inherited = {
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
};

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A process of its own, and what it says on both streams. */
export class RunningChild {
  private text = '';
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  constructor(private readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    child.stderr!.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    // "close" and not "exit": by then everything it wrote has come.
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal));
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Everything it wrote so far, on both streams. */
  get output(): string {
    return this.text;
  }

  /** Resolves when its output has the words. */
  async said(words: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (this.text.includes(words)) resolve();
      };
      this.child.stdout!.on('data', look);
      this.child.stderr!.on('data', look);
      void this.ended.then((end) => reject(new Error(`it ended with ${String(end)}:\n${this.text}`)));
      look();
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.child.kill(signal);
  }

  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.signal(signal);
    return this.ended;
  }
}

/** A panel in a process of its own, as it is built, with nothing in its environment but `settings`. */
export class PanelProcess extends RunningChild {
  constructor(
    private readonly port: number,
    settings: Record<string, string>,
    root = packageRoot,
  ) {
    super(
      spawn(process.execPath, [join(root, 'dist', 'panel', 'main.js')], {
        cwd: root,
        env: {
          ...inherited,
          HOST: '127.0.0.1',
          PORT: String(port),
          LOG_LEVEL: 'error',
          DRAIN_SECONDS: '0',
          // Each one is a process of PostgreSQL's.
          DATABASE_CONNECTIONS: '6',
          // A test that looks again and again until something is so must not run out of its own allowance.
          RATE_LIMIT_PER_MINUTE: '1000000',
          ...settings,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when it says where it is reached. */
  async ready(): Promise<this> {
    await this.said('GraphQL and GraphiQL');
    return this;
  }
}

/** Runs the text of a module, which may import the panel's. */
export function runScript(text: string): RunningChild {
  const argv = ['--import', 'tsx', '--input-type=module', '--eval', text];
  const env = { ...process.env, ...inherited };
  return new RunningChild(
    spawn(process.execPath, argv, { cwd: packageRoot, env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

/** Runs one of the programs in panel/, as it is built, to its end. */
export async function runProgram(
  name: string,
  settings: Record<string, string> = {},
  {
    node = process.execPath,
    nodeArguments = [],
    argv = [],
    root = packageRoot,
  }: { node?: string; nodeArguments?: string[]; argv?: string[]; root?: string } = {},
): Promise<{ code: number | NodeJS.Signals | null; output: string }> {
  const child = new RunningChild(
    spawn(node, [...nodeArguments, join(root, 'dist', 'panel', `${name}.js`), ...argv], {
      cwd: root,
      env: { ...inherited, LOG_LEVEL: 'error', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  return { code: await child.ended, output: child.output };
}
