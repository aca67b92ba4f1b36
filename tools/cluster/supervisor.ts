import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { assetPath, packageRoot } from '#platform/package-root.js';

import type { Place } from './place.js';
import { programPath } from './programs.js';
import type { Member } from './topology.js';

const restartAfterMs = 1_000;
// Patroni stops its PostgreSQL first, which writes a checkpoint.
const stopWithinMs = 30_000;

/**
 * Keeps one process running as a service manager would: one that ends is started again after a second. What it says goes
 * to log/<name>.log, which begins anew with us. It is told to end when we die, even by kill -9.
 */
export class Supervised {
  private child: ChildProcess | undefined;
  private isWanted = false;
  private held: { resume: () => void; until: Promise<void> } | undefined;
  private loop: Promise<void> | undefined;
  /** How often it has ended by itself, or by somebody's hand. */
  endings = 0;

  constructor(
    readonly member: Member,
    private readonly place: Place,
  ) {}

  get name(): string {
    return this.member.name;
  }

  get log(): string {
    return join(this.place.logs, `${this.name}.log`);
  }

  get pid(): number | undefined {
    return this.child?.exitCode === null && this.child.signalCode === null ? this.child.pid : undefined;
  }

  start(): void {
    if (this.isWanted) return;
    this.isWanted = true;
    this.loop = this.keep();
  }

  signal(signal: NodeJS.Signals): void {
    const { pid } = this;
    if (pid !== undefined) process.kill(pid, signal);
  }

  /** Until `resume` it is not started again, as when its machine is gone. */
  hold(): void {
    if (this.held) return;
    let resume: () => void = () => undefined;
    const until = new Promise<void>((resolve) => (resume = resolve));
    this.held = { resume, until };
  }

  resume(): void {
    this.held?.resume();
    this.held = undefined;
  }

  async stop(): Promise<void> {
    this.isWanted = false;
    this.resume();
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const tooLate = setTimeout(() => this.signal('SIGKILL'), stopWithinMs);
    await this.loop;
    clearTimeout(tooLate);
  }

  private async keep(): Promise<void> {
    while (this.isWanted) {
      await this.run();
      if (!this.isWanted) return;
      this.endings += 1;
      await sleep(restartAfterMs);
      await this.held?.until;
    }
  }

  private async run(): Promise<void> {
    const log = openSync(this.log, this.child ? 'a' : 'w', 0o600);
    try {
      const [program, args] = commandOf(this.member, this.place);
      const child = spawn(program, args, {
        // In a session of its own, so that Ctrl-C in a terminal reaches us alone and everything ends in its order.
        detached: true,
        cwd: this.member.program === 'panel' ? packageRoot : '/',
        env: { PATH: programPath, LANG: 'C.UTF-8', TZ: 'UTC', ...this.member.settings },
        stdio: ['ignore', log, log],
      });
      this.child = child;
      await new Promise<void>((resolve) => {
        child.once('error', () => resolve());
        child.once('exit', () => resolve());
      });
    } finally {
      closeSync(log);
    }
  }
}

function commandOf({ program }: Member, { account, etc }: Place): [string, string[]] {
  if (program === 'panel') {
    const panel = ['--enable-source-maps', assetPath('dist', 'panel', 'main.js')];
    return ['setpriv', ['--pdeathsig=TERM', process.execPath, ...panel]];
  }
  const identity = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  return ['setpriv', ['--pdeathsig=TERM', ...identity, join(etc, 'start.sh'), program]];
}
