import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { freePort } from './stage.js';

/** Starts plain-lists.ts on clusters. */
export async function startPlainLists(
  kubeconfigs: readonly string[],
): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const port = await freePort();
  const child = fork(fileURLToPath(new URL('plain-lists.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: { PATH: process.env['PATH'], PORT: String(port) },
  });
  const ended = once(child, 'exit');
  child.send(kubeconfigs);
  await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => {
      throw new Error(`the plain lister ended with ${String(code)}`);
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
