import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { assetPath } from '#platform/package-root.js';

import { programPath } from '../../tools/cluster/programs.js';
import { freePort } from './stage.js';

export interface Running {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

const readyWithinMs = 30_000;

/** haproxy as deploy/cluster has it, in front of three panels. What it leads to besides them is not there. */
export async function startHaproxy(panels: readonly string[], redis: string): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'panel-haproxy-'));
  const nowhere = '127.0.0.1:9';
  const bind = async () => `127.0.0.1:${await freePort()}`;
  const at = await bind();
  const three = (name: string, value: (index: number) => string) =>
    Object.fromEntries([0, 1, 2].map((index) => [`${name}_${index + 1}`, value(index)]));
  const child = spawn(assetPath('deploy', 'cluster', 'start.sh'), ['haproxy'], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: {
      PATH: programPath,
      RUN_DIR: folder,
      PUBLIC_BIND: at,
      PRIMARY_BIND: await bind(),
      REPLICA_BIND: await bind(),
      REDIS_BIND: await bind(),
      HAPROXY_METRICS_BIND: await bind(),
      REDIS_PASSWORD: 'none',
      REDIS_1: redis,
      REDIS_2: nowhere,
      ...three('PANEL', (index) => new URL(panels[index]!).host),
      ...three('POSTGRES', () => nowhere),
      ...three('PATRONI_PORT', () => '9'),
    },
  });
  return untilReady(child, `http://${at}`, folder, async () => (await fetch(`http://${at}/readyz`)).ok);
}

/** A Redis that keeps nothing. */
export async function startRedis(): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'panel-redis-'));
  const port = await freePort();
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
    { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: programPath } },
  );
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  return untilReady(child, `redis://127.0.0.1:${port}`, folder, () =>
    Promise.resolve(said.includes('Ready to accept connections')),
  );
}

async function untilReady(
  child: ReturnType<typeof spawn>,
  url: string,
  folder: string,
  isReady: () => Promise<boolean>,
): Promise<Running> {
  let problem: Error | undefined;
  child.once('error', (error) => (problem = error));
  for (const end = performance.now() + readyWithinMs; ; await sleep(100)) {
    if (await isReady().catch(() => false)) break;
    problem ??= child.exitCode === null ? undefined : new Error(`it ended with ${child.exitCode}`);
    if (problem || performance.now() > end)
      throw new Error(`${child.spawnfile} does not come up`, { cause: problem });
  }
  return {
    url,
    pid: child.pid!,
    async stop() {
      const ended = once(child, 'exit');
      if (child.exitCode === null && child.kill('SIGTERM')) await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
