import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { freePort, RunningChild } from '../support/process.js';

const dockerfile = readFileSync(assetPath('Dockerfile'), 'utf8');
const last = dockerfile.split(/^FROM /m).at(-1)!;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database.drop());

/** What the last stage copies, as the folder that it makes. Packages and the build are those of this checkout. */
function image(): string {
  const folder = mkdtempSync(join(tmpdir(), 'panel-image-'));
  for (const [, from, words] of last.matchAll(/^COPY (?:--from=(\w+) )?(.+)$/gm)) {
    const paths = words!.split(' ').map((path) => path.replace(/^(\/app|\.)\//, ''));
    const target = paths.pop()!;
    for (const path of paths) {
      const isInto = target === './' || target === '';
      const to = join(folder, isInto ? path : target);
      mkdirSync(dirname(to), { recursive: true });
      if (from === 'packages') symlinkSync(assetPath(path), to);
      else cpSync(assetPath(path), to, { recursive: true });
    }
  }
  return folder;
}

test('what the image holds is enough for a panel, which its health check finds alive', async () => {
  const folder = image();
  const port = String(await freePort());
  const [program, ...args] = JSON.parse(/^CMD (\[.*\])$/m.exec(last)![1]!) as string[];
  const environment = { PATH: process.env['PATH'], PORT: port, HOST: '127.0.0.1', LOG_LEVEL: 'error' };
  const run = (argv: string[], more = {}) =>
    new RunningChild(
      spawn(process.execPath, argv, {
        cwd: folder,
        env: { ...environment, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  expect(program).toBe('node');
  const panel = run(args, {
    DATABASE_URL: database.url,
    SECRETS_KEY: testSecretsKey,
    NODE_ENV: 'production',
    DRAIN_SECONDS: '0',
  });
  try {
    const check = JSON.parse(/CMD (\[.*\])$/m.exec(/HEALTHCHECK[^]*?\]\n/.exec(last)![0])![1]!) as string[];
    expect(await run(check.slice(1)).ended).toBe(1);
    await panel.said('GraphQL and GraphiQL');
    expect(await run(check.slice(1)).ended).toBe(0);
    expect(
      (await fetch(`http://127.0.0.1:${port}/graphql`, { headers: { accept: 'text/html' } })).status,
    ).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/api/auth/sessions`)).status).toBe(401);
    expect(await panel.kill('SIGTERM')).toBe(0);
  } finally {
    await panel.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

test('the image runs as somebody who is not root, and nothing of the checkout but what it needs is sent to build it', () => {
  expect(last).toMatch(/^USER node$/m);
  const sent = readFileSync(assetPath('.dockerignore'), 'utf8');
  expect(sent.split('\n')[0]).toBe('*');
  const needed = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
    paths!.split(' '),
  );
  for (const path of needed) expect(sent).toContain(`!${path.replace('./', '').split('/')[0]}\n`);
});
