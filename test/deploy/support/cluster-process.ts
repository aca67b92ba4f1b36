import { spawn } from 'node:child_process';

import { packageRoot } from '#platform/package-root.js';

import { RunningChild } from '../../support/process.js';

/** `npm run cluster` without npm, which would stand between us and its signals. */
export function runCluster(settings: Record<string, string>, args: readonly string[] = []): RunningChild {
  const argv = ['--import', 'tsx', 'tools/cluster/main.ts', ...args];
  return new RunningChild(
    spawn(process.execPath, argv, {
      cwd: packageRoot,
      env: { PATH: process.env['PATH'], LOG_LEVEL: 'error', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}
