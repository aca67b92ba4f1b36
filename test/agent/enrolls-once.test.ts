import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from 'vitest';

import { fileStateStore, StateError } from '#agent/state-store.js';

import { TestNode } from './support/node.js';

test('a node enrolls once and keeps its credential over a restart', async () => {
  const node = await TestNode.create({
    baseUrl: 'http://127.0.0.1:9000',
    redirectUris: ['http://127.0.0.1:9000/cb'],
  });
  await node.start();
  await node.step();
  await node.restart({ enrollmentToken: undefined });
  await node.step();

  expect(node.panel.enrollments.map(({ body }) => body)).toEqual([
    {
      token: 'flt_test',
      name: 'production-01',
      hostname: 'cloud.example.com',
      version: '0.2.9',
      base_url: 'http://127.0.0.1:9000',
      redirect_uris: ['http://127.0.0.1:9000/cb'],
    },
  ]);
  expect(node.panel.beats.map(({ authorization }) => authorization)).toEqual([
    'Bearer cred_1',
    'Bearer cred_1',
  ]);
  expect(node.agent.instanceId).toBe('inst_1');
});

test('the state file is readable by its owner alone and nothing else is left beside it', async () => {
  const node = await TestNode.create();
  await node.start();
  await node.step();

  expect((await stat(node.stateFile)).mode & 0o777).toBe(0o600);
  expect(await readdir(path.dirname(node.stateFile))).toEqual(['state.json']);
  expect(JSON.parse(await readFile(node.stateFile, 'utf8'))).toEqual({
    panel_url: node.panel.url,
    instance_id: 'inst_1',
    credential: 'cred_1',
    next_sequence: 1001,
  });
});

test('a state file that others could read is closed again', async () => {
  const node = await TestNode.create();
  await node.start();
  await chmod(node.stateFile, 0o644);
  await node.restart();

  expect((await stat(node.stateFile)).mode & 0o777).toBe(0o600);
});

test('sequence numbers never go back, not even over a restart', async () => {
  const node = await TestNode.create();
  await node.start();
  await node.steps(3);
  await node.restart();
  await node.steps(2);

  expect(node.panel.beats.map(({ body }) => body['sequence'])).toEqual([1, 2, 3, 1001, 1002]);
});

test('a credential is never shown to another panel than its own', async () => {
  const node = await TestNode.create();
  await node.start();
  await node.agent.stop();
  const other = await TestNode.create();

  await expect(node.build({ panelUrl: other.panel.url }).start()).rejects.toThrow(
    /belongs to a node of http/,
  );
  expect(other.panel.beats).toEqual([]);
});

test('an unusable state stops the start instead of enrolling anew', async () => {
  const node = await TestNode.create();
  await node.start();
  await node.agent.stop();
  await writeFile(node.stateFile, '{"panel_url":');

  await expect(node.agent.start()).rejects.toThrow(StateError);
  expect(node.panel.enrollments).toHaveLength(1);
});

test('without state and token there is nothing to start with', async () => {
  const node = await TestNode.create();
  await expect(node.build({ enrollmentToken: undefined }).start()).rejects.toThrow(/no token to enroll with/);
});

test('no token is spent where the state could not be kept', async () => {
  const node = await TestNode.create();
  const prepare = async () => {
    throw new StateError('read-only');
  };
  const stateStore = {
    location: '/ro',
    prepare,
    load: async () => undefined,
    enrollmentKey: prepare,
    save: prepare,
  };

  await expect(node.build({ stateStore }).start()).rejects.toThrow('read-only');
  expect(node.panel.enrollments).toEqual([]);
});

test('an enrollment the panel refuses is asked again only rarely', async () => {
  const node = await TestNode.create();
  node.panel.script('enroll', { status: 409, body: { error: 'Plan limit reached' } });
  await node.start();

  expect(await node.step()).toBe(900_000);
  expect(node.events).toEqual([
    { type: 'enrollment-refused', status: 409, message: 'HTTP 409: Plan limit reached', retryInMs: 900_000 },
    { type: 'enrolled', instanceId: 'inst_1' },
  ]);
});

test('an enrollment is tried again, under the same key, while the panel is away or makes no sense', async () => {
  const node = await TestNode.create();
  node.panel.script(
    'enroll',
    { body: 'hang up' },
    { status: 503, headers: { 'retry-after': '7' }, body: { error: 'Away' } },
    { status: 201, body: { instance_id: 7 } },
  );
  await node.start();

  expect(await node.steps(3)).toEqual([500, 7_350, 1_000]);
  expect(node.panel.enrollments).toHaveLength(4);
  expect(new Set(node.panel.enrollments.map(({ key }) => key)).size).toBe(1);
  expect(node.agent.instanceId).toBe('inst_1');
});

test('an agent that ended before it had its answer asks for the same enrollment when it is started again', async () => {
  const node = await TestNode.create();
  node.panel.script('enroll', { body: 'hang up' }, { body: 'hang up' });
  await node.start();
  await node.restart();
  await node.restart({ name: 'production-02' });

  const keys = node.panel.enrollments.map(({ key }) => key);
  expect(keys).toEqual([expect.stringMatching(/^[\w-]{36}$/), keys[0], expect.not.stringMatching(keys[0]!)]);
  expect(await readdir(path.dirname(node.stateFile))).toEqual(['state.json']);
});

test('an identity that could not be stored is asked for again when the agent is started again', async () => {
  const node = await TestNode.create();
  const save = async () => {
    throw new Error('ENOSPC');
  };
  node.agent = node.build({ stateStore: { ...fileStateStore(node.stateFile), save } });
  await node.start();
  await node.restart();

  expect(node.panel.enrollments).toHaveLength(2);
  expect(node.agent.instanceId).toBe('inst_1');
});

test('two agents in one process share nothing', async () => {
  const one = await TestNode.create({ enrollmentToken: 'flt_one' });
  const two = await TestNode.create({ enrollmentToken: 'flt_two', name: 'staging-01' });
  two.panel.script('enroll', {
    status: 201,
    body: { instance_id: 'inst_two', credential: 'cred_two', heartbeat_seconds: 5 },
  });
  two.panel.heartbeatSeconds = 5;
  await one.start();
  await two.start();
  one.panel.script('heartbeat', { status: 500 });
  await one.step();
  await two.steps(2);

  expect([one.agent.instanceId, two.agent.instanceId]).toEqual(['inst_1', 'inst_two']);
  expect(one.panel.beats.map(({ authorization }) => authorization)).toEqual(['Bearer cred_1']);
  expect(two.panel.beats.map(({ authorization }) => authorization)).toEqual([
    'Bearer cred_two',
    'Bearer cred_two',
  ]);
  expect(two.panel.beats[1]?.body['samples']).toBeUndefined();
});

test('state removed after a revocation lets a node with a token enroll anew', async () => {
  const node = await TestNode.create();
  await node.start();
  node.panel.script('heartbeat', { status: 401, body: { error: 'Revoked' } });
  await node.step();
  await rm(node.stateFile);
  await node.step();
  await node.step();

  expect(node.panel.enrollments).toHaveLength(2);
  expect(node.panel.beats.at(-1)?.authorization).toBe('Bearer cred_2');
  expect(node.panel.beats.at(-1)?.body['samples']).toBeUndefined();
});
