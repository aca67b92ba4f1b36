import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { assetPath, packageRoot } from '#platform/package-root.js';

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

/** A panel in a process of its own, as it is built, with nothing in its environment but `settings`. */
export class PanelProcess {
  private readonly child: ChildProcess;
  private text = '';
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  constructor(
    private readonly port: number,
    settings: Record<string, string>,
  ) {
    this.child = spawn(process.execPath, [assetPath('dist', 'panel', 'main.js')], {
      cwd: packageRoot,
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        PORT: String(port),
        LOG_LEVEL: 'error',
        // A test that looks again and again until something is so must not run out of its own allowance.
        RATE_LIMIT_PER_MINUTE: '1000000',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout!.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    this.child.stderr!.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    // "close" and not "exit": by then everything it wrote has come.
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve(code ?? signal));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Everything it wrote so far, on both streams. */
  get output(): string {
    return this.text;
  }

  /** Resolves when it says where it is reached. */
  async ready(): Promise<this> {
    const greeting = /GraphQL and GraphiQL/;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (greeting.test(this.text)) resolve();
      };
      this.child.stdout!.on('data', look);
      void this.ended.then((end) => reject(new Error(`the panel ended with ${String(end)}:\n${this.text}`)));
      look();
    });
    return this;
  }

  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    if (this.isRunning) this.child.kill(signal);
    return this.ended;
  }
}
