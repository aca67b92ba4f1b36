import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { CommandJournal } from '#agent/commands/journal.js';
import { LicenceKeeper } from '#agent/licence/keeper.js';
import { fileStateStore } from '#agent/state-store.js';
import { assetPath, packageRoot } from '#platform/package-root.js';

import { RunningChild } from '../support/process.js';
import { until } from '../support/world.js';
import { HandClock } from './support/hand-clock.js';
import { kept } from './support/log.js';
import { steadyMetrics, TestNode } from './support/node.js';

const canMount = spawnSync('unshare', ['--map-root-user', '--mount', 'true']).status === 0;

/** The agent as it is shipped, with its state on a disk of 64 KiB that nobody else sees. */
function onSmallDisk({ panel }: TestNode, { isFull = false } = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'quazzar-disk-'));
  const fill = isFull ? `cat /dev/zero > ${folder}/filler 2> /dev/null;` : '';
  const start = `mount -t tmpfs -o size=64k none ${folder} && { ${fill} exec "$@"; }`;
  const agent = [process.execPath, assetPath('dist', 'agent', 'main.js'), '--simulate', '--name', 'small'];
  const told = ['--panel', panel.url, '--token', 'flt_x', '--state', path.join(folder, 'state.json')];
  const child = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', start, 'sh', ...agent, ...told], {
    cwd: packageRoot,
    env: { PATH: process.env['PATH'], HOME: folder },
  });
  const running = new RunningChild(child);
  onTestFinished(async () => {
    await running.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const filler = `/proc/${child.pid}/root${folder}/filler`;
  return {
    running,
    fill: () => {
      expect(() => writeFileSync(filler, Buffer.alloc(1024 * 1024))).toThrow('ENOSPC');
    },
    free: () => rmSync(filler),
  };
}

test('a disk that is full keeps no node from beating, is told of once, shown by the panel, and told of once when it is over', async ({
  skip,
}) => {
  if (!canMount) return skip('no disk can be mounted here (unshare of util-linux, user namespaces)');
  const node = await TestNode.create();
  const { panel } = node;
  panel.heartbeatSeconds = 1;
  const { running, fill, free } = onSmallDisk(node);
  const beats = async (more: number) => {
    const enough = panel.beats.length + more;
    await until(async () => panel.beats.length >= enough, 'its beats');
  };
  await beats(1);
  fill();
  panel.script('heartbeat', panel.accepting({ credential: 'cred_new' }));
  await running.said('can not be stored');
  await beats(4);
  expect(panel.beats.at(-1)).toMatchObject({
    authorization: 'Bearer cred_1',
    body: {
      health: [
        {
          component: 'agent',
          status: 'degraded',
          message: expect.stringMatching(/^The state can not be stored: ENOSPC/),
        },
      ],
    },
  });
  free();
  await running.said('The state is stored again');
  await beats(2);
  expect(panel.beats.at(-1)).toMatchObject({ authorization: 'Bearer cred_new', body: { health: [] } });
  expect(await running.kill('SIGTERM')).toBe(0);
  const times = (words: string) => running.output.split(words).length - 1;
  expect([times('The state can not be stored'), times('The state is stored again')]).toEqual([1, 1]);
}, 120_000);

test('on a disk that is full from the start no token is spent, and the agent ends with 1 and why', async ({
  skip,
}) => {
  if (!canMount) return skip('no disk can be mounted here (unshare of util-linux, user namespaces)');
  const node = await TestNode.create();
  const { running } = onSmallDisk(node, { isFull: true });
  expect(await running.ended).toBe(1);
  expect(running.output).toMatch(/^The state can't be kept in .*state\.json: ENOSPC/m);
  expect(node.panel.enrollments).toEqual([]);
});

test.each([
  ['on a full disk', 'exec "$@" 2> /dev/full'],
  ['that nobody reads any more', '"$@" 2>&1 > /dev/null | true'],
])('a log %s does not end the agent', async (_, start) => {
  const node = await TestNode.create();
  node.panel.heartbeatSeconds = 1;
  const told = ['--panel', node.panel.url, '--token', 'flt_x', '--state', node.stateFile, '--simulate'];
  const child = spawn(
    'sh',
    ['-c', start, 'sh', process.execPath, assetPath('dist', 'agent', 'main.js'), ...told],
    {
      cwd: packageRoot,
      env: { PATH: process.env['PATH'], HOME: os.tmpdir(), QUAZZAR_LOG_LEVEL: 'debug' },
      detached: true,
    },
  );
  const running = new RunningChild(child);
  onTestFinished(async () => {
    if (running.isRunning) process.kill(-child.pid!, 'SIGTERM');
    await running.ended;
  });
  await until(async () => node.panel.beats.length >= 3, 'its beats');
  expect(running.isRunning).toBe(true);
});

/** Takes the folder of the state away, as far as writing goes, and gives it back. */
function folderOf({ stateFile }: TestNode) {
  const folder = path.dirname(stateFile);
  return {
    lose: async () => {
      await rename(folder, `${folder}.away`);
      await writeFile(folder, 'a file where the folder should be');
    },
    giveBack: async () => {
      await rm(folder);
      await rename(`${folder}.away`, folder);
    },
  };
}

test('a node that can not note what it enrolls under waits with its token, and enrolls once it can', async () => {
  const log = kept();
  const node = await TestNode.create({ logger: log.logger });
  const disk = fileStateStore(node.stateFile);
  await disk.prepare();
  const { lose, giveBack } = folderOf(node);
  await lose();
  // It becomes so between the look at it and the first write.
  node.agent = node.build({
    stateStore: { ...disk, prepare: async () => undefined, load: async () => undefined },
  });
  await node.start();
  expect(await node.steps(3)).toEqual([1_500, 2_000, 3_000]);
  expect(node.panel.enrollments).toEqual([]);
  await giveBack();
  await node.steps(2);

  expect(node.events.map(({ type }) => type)).toEqual(['enrolled', 'beat-accepted']);
  expect(log.messages()).toEqual([
    'The state can not be stored; the agent goes on, tries with each beat, and says when it can again',
    'The state is stored again',
    'Enrolled',
  ]);
});

test('what is wrong with the agent besides is told beside its state', async () => {
  const health = [
    { component: 'backup', status: 'healthy' as const },
    { component: 'agent', status: 'degraded' as const, message: 'Not readable: disk: no answer' },
  ];
  const node = await TestNode.create({ metrics: { collect: async () => ({ ...steadyMetrics, health }) } });
  await node.start();
  await node.step();
  const { lose, giveBack } = folderOf(node);
  await lose();
  node.panel.script('heartbeat', node.panel.accepting({ credential: 'cred_new' }));
  await node.steps(2);
  expect(node.panel.beats.at(-1)?.body['health']).toEqual([
    health[0],
    {
      component: 'agent',
      status: 'degraded',
      message: expect.stringMatching(/^The state can not be stored: E.*; Not readable: disk: no answer$/),
    },
  ]);
  await giveBack();
  await node.steps(2);
  expect(node.panel.beats.at(-1)).toMatchObject({ authorization: 'Bearer cred_new', body: { health } });
});

test('a journal of commands that can not be written is told of once, and once when it can', async () => {
  const log = kept();
  const node = await TestNode.create();
  await node.start();
  const journal = new CommandJournal(`${node.stateFile}.commands`, log.logger);
  const { lose, giveBack } = folderOf(node);
  await lose();
  for (const id of ['cmd_1', 'cmd_2', 'cmd_3']) await journal.note({ id, lease: '1.x' });
  await giveBack();
  for (const id of ['cmd_1', 'cmd_2', 'cmd_3']) await journal.forget(id);
  expect(log.messages()).toEqual([
    'The journal of commands can not be written',
    'The journal of commands is written again',
  ]);
});

/** A panel that has a licence for `inst_1`, and its keys. */
function licensing(now: Date): typeof fetch {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = now.getTime() / 1000 + 35 * 24 * 3_600;
  const signed = `${part({ alg: 'EdDSA', kid: 'k1', typ: 'qzr-licence+jwt' })}.${part({ jti: 'lic_1', sub: 'inst_1', plan: 'pro', features: [], exp })}`;
  const key = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }];
  const isForKeys = (input: unknown) => input instanceof URL && input.pathname === '/licences/keys.json';
  return async (input) => Response.json(isForKeys(input) ? { keys } : { key });
}

test('a licence that can not be stored counts all the same, which is told once, and is stored once it can be', async () => {
  const log = kept();
  const node = await TestNode.create();
  await node.start();
  const { lose, giveBack } = folderOf(node);
  await lose();
  const [clock, file] = [new HandClock(), `${node.stateFile}.licence`];
  const options = { panelUrl: 'https://panel.example', file, clock, logger: log.logger };
  const keeper = new LicenceKeeper({ ...options, fetch: licensing(clock.now()) });
  keeper.start(() => ({ instanceId: 'inst_1', credential: 'cred_1' }));
  onTestFinished(() => keeper.stop());
  // The panel is asked no sooner than usual, but the disk is.
  for (const wait of [60_000, 60_000]) {
    expect(await clock.sleeping()).toBe(wait);
    expect(await keeper.verdict('inst_1')).toMatchObject({ isGood: true, terms: { plan: 'pro' } });
    await clock.wake();
  }
  await clock.sleeping();
  await giveBack();
  await clock.wake();
  expect(await clock.sleeping()).toBe((6 * 60 - 3) * 60_000);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ licence: expect.any(String) });
  expect(log.messages()).toEqual([
    'The licence can not be stored; it counts until the agent ends',
    'The licence of this node is good',
    'The licence is stored again',
  ]);
});
