import { readFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { fileStateStore, type StateStore } from '#agent/state-store.js';

import { TestNode } from './support/node.js';

function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

const rejected: [string, unknown][] = [
  ['cut short', '{"server_time":'],
  ['a page of a proxy', '<html>It works</html>'],
  ['empty', ''],
  ['of other types', { server_time: 1, heartbeat_seconds: 'soon', commands: {} }],
  ['without an interval', { server_time: '2026-05-01T12:00:00Z', commands: [] }],
  ['endless', 'x'.repeat(2 * 1024 * 1024)],
];

test.each(rejected)('an answer that is %s counts as a failed beat', async (_, body) => {
  const node = await TestNode.create();
  await node.start();
  node.panel.script('heartbeat', { body });
  await node.steps(2);

  expect(node.events.map(({ type }) => type)).toEqual(['enrolled', 'beat-failed', 'beat-accepted']);
  expect(node.panel.beats[1]?.body['samples']).toHaveLength(1);
});

test('fields the agent does not know are let pass', async () => {
  const node = await TestNode.create();
  await node.start();
  node.panel.script('heartbeat', node.panel.accepting({ motd: 'hello', commands: [], credential: null }));
  await node.step();
  expect(node.events.at(-1)).toEqual({ type: 'beat-accepted', sequence: 1, replayed: 0, waiting: 0 });
});

test('a redirect is not followed, so that the credential stays with its panel', async () => {
  const node = await TestNode.create();
  await node.start();
  node.panel.script('heartbeat', { status: 307, headers: { location: `${node.panel.url}/elsewhere` } });
  await node.step();
  expect(node.panel.beats).toHaveLength(1);
  expect(node.events.at(-1)).toMatchObject({
    type: 'beat-failed',
    message: expect.stringContaining('has moved to'),
  });
});

test('a panel that never answers is given up after the timeout', async () => {
  const never: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) =>
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
    );
  const node = await TestNode.create();
  await node.start();
  await node.restart({ fetch: never, requestTimeoutMs: 20 });
  await node.step();
  expect(node.events.at(-1)).toMatchObject({ type: 'beat-failed', message: 'no answer within 0.02 s' });
});

test('a renewed credential is stored, then used', async () => {
  const node = await TestNode.create();
  await node.start();
  node.panel.script('heartbeat', node.panel.accepting({ credential: 'cred_new' }));
  await node.step();
  expect(JSON.parse(await readFile(node.stateFile, 'utf8'))).toMatchObject({ credential: 'cred_new' });
  await node.step();
  await node.restart();
  await node.step();

  expect(node.panel.beats.map(({ authorization }) => authorization)).toEqual([
    'Bearer cred_1',
    'Bearer cred_new',
    'Bearer cred_new',
  ]);
  expect(node.events.filter(({ type }) => type === 'credential-renewed')).toHaveLength(1);
});

test('a renewed credential that can not be stored is not used until it can', async () => {
  const node = await TestNode.create();
  const disk = fileStateStore(node.stateFile);
  let full = false;
  const stateStore: StateStore = {
    ...disk,
    save: async (state) => {
      if (full) throw new Error('ENOSPC');
      await disk.save(state);
    },
  };
  await node.agent.stop();
  node.agent = node.build({ stateStore });
  await node.start();
  node.panel.script('heartbeat', node.panel.accepting({ credential: 'cred_new' }));
  await node.step();
  await node.step();
  full = true;
  node.panel.script('heartbeat', node.panel.accepting({ credential: 'cred_newer' }));
  await node.steps(2);
  full = false;
  await node.step();

  const used = node.panel.beats.map(({ authorization }) => authorization);
  expect(used).toEqual(
    ['cred_1', 'cred_new', 'cred_new', 'cred_new', 'cred_newer'].map((one) => `Bearer ${one}`),
  );
});

test('a revoked node stops beating, says so, and tries again rarely', async () => {
  const node = await TestNode.create();
  await node.start();
  const revoked = { status: 401, body: { error: 'The credential was revoked' } };
  node.panel.script('heartbeat', revoked, revoked);
  await node.step();
  expect(node.agent.phase).toBe('revoked');
  expect(await node.steps(2)).toEqual([900_000, 0]);
  expect(node.agent.phase).toBe('revoked');
  expect(await node.steps(2)).toEqual([900_000, 0]);

  expect(node.agent.phase).toBe('beating');
  expect(node.panel.enrollments).toHaveLength(1);
  expect(node.events.map(({ type }) => type)).toEqual(['enrolled', 'revoked', 'revoked', 'beat-accepted']);
  expect(node.events[1]).toEqual({
    type: 'revoked',
    message: 'HTTP 401: The credential was revoked',
    retryInMs: 900_000,
  });
});

test('a node of a suspended tenant beats on, and tells what it measured when it is heard again', async () => {
  const node = await TestNode.create();
  await node.start();
  const suspended = { status: 403, body: { error: 'The tenant is suspended' } };
  node.panel.script('heartbeat', suspended, suspended);
  await node.steps(3);
  expect(node.events.map(({ type }) => type)).toEqual([
    'enrolled',
    'beat-failed',
    'beat-failed',
    'beat-accepted',
  ]);
  expect(node.panel.beats[2]?.body['samples']).toHaveLength(2);
});

test('metrics that can not be read cost one beat, not the agent', async () => {
  let broken = true;
  const collect = async () => {
    if (broken) throw new Error('no /proc');
    return { cpuPercent: 1, memoryPercent: 1, diskPercent: 1, appsCount: 0, cpuCores: 1, memoryGb: 1 };
  };
  const node = await TestNode.create({ metrics: { collect } });
  await node.start();
  await node.step();
  broken = false;
  await node.step();
  expect(node.events.map(({ type }) => type)).toEqual(['enrolled', 'beat-failed', 'beat-accepted']);
});

test('commands are handed over after the beat and their failure is not the beat’s', async () => {
  const handed: unknown[] = [];
  const node = await TestNode.create({
    onCommand: (command) => {
      handed.push(command);
      throw new Error('no such command');
    },
  });
  await node.start();
  const command = { id: 'cmd_1', command: 'update', params: { version: '0.3.0' }, lease: 'l1' };
  node.panel.script(
    'heartbeat',
    node.panel.accepting({ commands: [command, { ...command, id: 'cmd_2', params: null }] }),
  );
  await node.steps(2);

  expect(handed).toEqual([command, { ...command, id: 'cmd_2', params: {} }]);
  expect(node.panel.beats).toHaveLength(2);
});

test('a listener that throws does not disturb the beats', async () => {
  const node = await TestNode.create({
    onEvent: () => {
      throw new Error('oops');
    },
  });
  await node.start();
  await node.steps(2);
  expect(node.panel.beats).toHaveLength(2);
});

test('a stopped agent is silent and may be started again', async () => {
  const node = await TestNode.create();
  await node.start();
  await node.step();
  await node.agent.stop();
  await node.agent.stop();
  expect(node.agent.phase).toBe('stopped');
  expect(node.events.at(-1)).toEqual({ type: 'stopped' });
  await node.start();
  await expect(node.agent.start()).rejects.toThrow('running already');
  await node.step();
  expect(node.panel.enrollments).toHaveLength(1);
  expect(node.panel.beats).toHaveLength(2);
});

test('an agent stopped while it enrolls still keeps the identity it is being given', async () => {
  const arrived = gate();
  const released = gate();
  const slow: typeof fetch = async (...call) => {
    const answer = await fetch(...call);
    arrived.open();
    await released.passed;
    return answer;
  };
  const node = await TestNode.create({ fetch: slow });
  await node.agent.start();
  await arrived.passed;
  const stopped = node.agent.stop();
  released.open();
  await stopped;

  expect(await fileStateStore(node.stateFile).load()).toMatchObject({
    instanceId: 'inst_1',
    credential: 'cred_1',
  });
});

test('a call that outlives the grace of stopping is cut', async () => {
  const called = gate();
  const never: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      called.open();
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  const node = await TestNode.create({ fetch: never, stopGraceMs: 10 });
  await node.agent.start();
  await called.passed;
  await node.agent.stop();
  expect(node.events).toEqual([{ type: 'stopped' }]);
});
