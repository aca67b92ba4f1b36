import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { createTestDatabase, testSecretsKey, type TestDatabase } from '../support/panel.js';
import { freePort, RunningChild } from '../support/process.js';

const dockerfile = readFileSync(assetPath('Dockerfile'), 'utf8');
const stages = dockerfile.split(/^FROM /m).slice(1);
const [build, , last] = stages as [string, string, string];

let database: TestDatabase;
let built: string;
let image: string;
beforeAll(async () => {
  database = await createTestDatabase();
  built = copied(build, assetPath());
  symlinkSync(assetPath('node_modules'), join(built, 'node_modules'));
  const environment = { ...process.env, NODE_ENV: 'development' };
  await promisify(execFile)('npm', ['run', 'build'], { cwd: built, env: environment });
  image = copied(last, built);
  // Two compilers on a machine that does other things too.
}, 300_000);
afterAll(async () => {
  for (const folder of [built, image]) rmSync(folder, { recursive: true });
  await database.drop();
});

/** What a stage copies, as the folder that it makes: of the build stage from there, of packages from this checkout. */
function copied(stage: string, buildStage: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'panel-image-'));
  for (const [, from, words] of stage.matchAll(/^COPY (?:--from=(\w+) )?(.+)$/gm)) {
    const paths = words!.split(' ').map((path) => path.replace(/^(\/app|\.)\//, ''));
    const target = paths.pop()!;
    for (const path of paths) {
      const isInto = target === './' || target === '';
      const to = join(folder, isInto ? path : target);
      mkdirSync(dirname(to), { recursive: true });
      if (from === 'packages') symlinkSync(assetPath(path), to);
      else cpSync(from === 'build' ? join(buildStage, path) : assetPath(path), to, { recursive: true });
    }
  }
  return folder;
}

test('what is sent to build the image is enough for a panel with its console, which its health check finds alive', async () => {
  const port = String(await freePort());
  const [program, ...args] = JSON.parse(/^CMD (\[.*\])$/m.exec(last)![1]!) as string[];
  const environment = { PATH: process.env['PATH'], PORT: port, HOST: '127.0.0.1', LOG_LEVEL: 'error' };
  const run = (argv: string[], more = {}) =>
    new RunningChild(
      spawn(process.execPath, argv, {
        cwd: image,
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
    const page = async (path: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept: 'text/html' } })).text();
    expect(await page('/')).toContain('<script type="module"');
    expect(await page('/graphiql')).toContain('/graphiql/assets/start.js');
    expect((await fetch(`http://127.0.0.1:${port}/api/auth/sessions`)).status).toBe(401);
    // As docs/operating.md has it run in a container.
    const command = run(['dist/panel/administrator.js', 'grant', 'nobody@example.com'], {
      DATABASE_URL: database.url,
      SECRETS_KEY: testSecretsKey,
    });
    expect([await command.ended, command.output]).toEqual([
      1,
      'There is no account with the address nobody@example.com.\n',
    ]);
    expect(await panel.kill('SIGTERM')).toBe(0);
  } finally {
    await panel.kill('SIGKILL');
  }
});

test('the image runs as somebody who is not root, and nothing of the checkout but what it needs is sent to build it', () => {
  expect(last).toMatch(/^USER node$/m);
  const sent = readFileSync(assetPath('.dockerignore'), 'utf8');
  expect(sent.split('\n')[0]).toBe('*');
  const needed = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
    paths!.split(' '),
  );
  const kept = sent.split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
  const isSent = (path: string) => kept.some((other) => path === other || path.startsWith(`${other}/`));
  expect(needed.map((path) => path.replace('./', '')).filter((path) => !isSent(path))).toEqual([]);
});
