import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { expect, onTestFinished, test } from 'vitest';

import { packageRoot } from '#platform/package-root.js';

const serve = `
  import express from 'express';
  import { createGraphiqlRouter } from './gateway/graphiql.ts';
  const server = express().use(createGraphiqlRouter());
  const listening = server.listen(0, '127.0.0.1', () => console.log(listening.address().port));
`;

test('GraphiQL is whole where the panel lies under a folder whose name begins with a dot', async () => {
  const home = await mkdtemp(join(tmpdir(), '.panel-'));
  onTestFinished(async () => rm(home, { recursive: true }));
  for (const part of ['package.json', 'platform/package-root.ts', 'gateway/graphiql.ts', 'gateway/graphiql'])
    await cp(join(packageRoot, part), join(home, part), { recursive: true });
  await symlink(join(packageRoot, 'node_modules'), join(home, 'node_modules'));
  await writeFile(join(home, 'serve.mjs'), serve);
  const server = spawn(process.execPath, ['serve.mjs'], { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void server.kill());
  const [port] = (await once(createInterface(server.stdout), 'line')) as [string];
  const answer = await fetch(`http://127.0.0.1:${port}/graphiql/assets/start.js`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/javascript/);
});
