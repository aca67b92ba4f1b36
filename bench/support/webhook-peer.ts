import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { freePort, type Stage } from './stage.js';

/** Starts plain-webhooks.ts on the stage's database. */
export async function startPlainWebhooks(
  stage: Stage,
  secret: string,
): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const port = await freePort();
  const child = fork(fileURLToPath(new URL('plain-webhooks.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: stage.ownerUrl,
      WEBHOOK_SECRET: secret,
      PORT: String(port),
    },
  });
  const ended = once(child, 'exit');
  await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => {
      throw new Error(`the plain handler ended with ${String(code)}`);
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
