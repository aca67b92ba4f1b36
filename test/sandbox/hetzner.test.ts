import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startHetznerSandbox, type HetznerSandbox } from '#sandbox/hetzner/start.js';

import { TestClock } from '../support/clock.js';
import { Description, vendorFile } from '../support/openapi.js';

const run = promisify(execFile);
const hasCli = spawnSync('hcloud', ['version']).status === 0;
const file = vendorFile('hetzner-cloud.openapi.json');
const description = file === undefined ? undefined : new Description(file);

interface Answer {
  status: number;
  headers: Headers;
  // Shapes are what the tests are about.
  body: any; // oxlint-disable-line typescript/no-explicit-any -- wire shapes, looked at field by field
}

async function ask(to: HetznerSandbox, token: string, line: string, body?: object): Promise<Answer> {
  const [method = 'GET', path = ''] = line.split(' ');
  const response = await fetch(to.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

const wanted = { name: 'web-01', server_type: 'cx31', image: 'ubuntu-24.04', location: 'fsn1' };

describe('by a clock that stands still', () => {
  const clock = new TestClock();
  const booted: string[] = [];
  const halted: string[] = [];
  let sandbox: HetznerSandbox;
  beforeAll(async () => {
    sandbox = await startHetznerSandbox({
      port: 0,
      clock,
      logger: silentLogger,
      boot: async ({ name, userData }) => {
        booted.push(`${name} ${userData}`);
        return { stop: async () => void halted.push(name) };
      },
    });
  });
  afterAll(async () => sandbox.stop());

  test('a server is created, started and deleted as time passes, and its machine runs in between', async () => {
    const token = sandbox.token();
    const made = await ask(sandbox, token, 'POST /servers', { ...wanted, user_data: '#cloud-config' });
    expect(made.status).toBe(201);
    const { server, action, next_actions: next, root_password: password } = made.body;
    expect(server).toMatchObject({ name: 'web-01', status: 'initializing', location: { name: 'fsn1' } });
    expect(action).toMatchObject({
      command: 'create_server',
      status: 'running',
      error: null,
      finished: null,
    });
    expect(next).toMatchObject([{ command: 'start_server', status: 'running' }]);
    expect(password).toEqual(expect.any(String));
    await clock.advance(1_000);
    const half = await ask(sandbox, token, `GET /actions?id=${action.id}&id=${next[0].id}`);
    expect(half.body.actions.map((each: { progress: number }) => each.progress)).toEqual([50, 33]);
    expect(booted).toEqual([]);
    await clock.advance(2_000);
    const done = await ask(sandbox, token, `GET /actions?id=${action.id}&id=${next[0].id}`);
    expect(done.body.actions).toMatchObject([
      { status: 'success', progress: 100 },
      { status: 'success', progress: 100 },
    ]);
    expect((await ask(sandbox, token, `GET /servers/${server.id}`)).body.server.status).toBe('running');
    expect(booted).toEqual(['web-01 #cloud-config']);
    expect((await ask(sandbox, token, `DELETE /servers/${server.id}`)).body.action.status).toBe('running');
    expect((await ask(sandbox, token, `DELETE /servers/${server.id}`)).body.error.code).toBe('locked');
    await clock.advance(1_000);
    expect(await ask(sandbox, token, `GET /servers/${server.id}`)).toMatchObject({ status: 404 });
    expect(halted).toEqual(['web-01']);
  });

  test('what can not be is refused by the code and field that Hetzner names', async () => {
    const token = sandbox.token();
    await ask(sandbox, token, 'POST /servers', wanted);
    sandbox.sellOut('cx32@nbg1');
    const code = async (body: object) => (await ask(sandbox, token, 'POST /servers', body)).body.error.code;
    const field = async (body: object) =>
      (await ask(sandbox, token, 'POST /servers', body)).body.error.details.fields[0].name;
    expect(await code(wanted)).toBe('uniqueness_error');
    expect(await code({ ...wanted, name: 'b', server_type: 'cx32', location: 'nbg1' })).toBe(
      'resource_unavailable',
    );
    expect(await code({ ...wanted, name: 'b', server_type: 'cax21' })).toBe('resource_unavailable');
    expect(await field({ ...wanted, name: 'no_underscores' })).toBe('name');
    expect(await field({ ...wanted, name: 'b', server_type: 'cx99' })).toBe('server_type');
    expect(await field({ ...wanted, name: 'b', server_type: 'cx11' })).toBe('server_type');
    expect(await field({ ...wanted, name: 'b', location: 'ash' })).toBe('server_type');
    expect(await field({ ...wanted, name: 'b', user_data: 'x'.repeat(32_769) })).toBe('user_data');
    expect(await field({ ...wanted, name: 'b', labels: { a: 'not a label' } })).toBe('labels.a');
    expect(await field({ ...wanted, name: 'b', ssh_keys: ['none'] })).toBe('ssh_keys');
    expect(await ask(sandbox, 'nobody', 'GET /servers')).toMatchObject({ status: 401 });
    const readOnly = sandbox.token({ access: 'read-only' });
    expect((await ask(sandbox, readOnly, 'POST /servers', wanted)).body.error.code).toBe('token_readonly');
    expect((await ask(sandbox, readOnly, 'GET /servers')).status).toBe(200);
    expect((await ask(sandbox, token, 'GET /volumes')).status).toBe(404);
    sandbox.restock();
  });

  test('lists are sorted, selected and paged; projects see their own', async () => {
    const token = sandbox.token();
    for (const name of ['c', 'a', 'b'])
      await ask(sandbox, token, 'POST /servers', { ...wanted, name, labels: { of: name, all: 'x' } });
    const names = async (query: string) =>
      (await ask(sandbox, token, `GET /servers?${query}`)).body.servers.map((s: { name: string }) => s.name);
    expect(await names('sort=name:desc')).toEqual(['c', 'b', 'a']);
    expect(await names('sort=id&per_page=2&page=2')).toEqual(['b']);
    expect(await names('label_selector=of%3Da')).toEqual(['a']);
    expect(await names('label_selector=all,of!%3Da&sort=name')).toEqual(['b', 'c']);
    expect(await names('name=c')).toEqual(['c']);
    const { meta } = (await ask(sandbox, token, 'GET /servers?per_page=2')).body;
    expect(meta.pagination).toMatchObject({ next_page: 2, last_page: 2, total_entries: 3 });
    expect((await ask(sandbox, sandbox.token(), 'GET /servers')).body.servers).toEqual([]);
  });

  test("an hour's requests are counted down, refused when they are spent, and come back bit by bit", async () => {
    const other = await startHetznerSandbox({ port: 0, clock, logger: silentLogger, requestsAnHour: 4 });
    const token = other.token();
    const first = await ask(other, token, 'GET /locations');
    expect(first.headers.get('ratelimit-limit')).toBe('4');
    expect(first.headers.get('ratelimit-remaining')).toBe('3');
    for (let at = 0; at < 3; at += 1) await ask(other, token, 'GET /locations');
    const refused = await ask(other, token, 'GET /locations');
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'rate_limit_exceeded' } } });
    expect(Number(refused.headers.get('ratelimit-reset'))).toBe(clock.now().getTime() / 1000 + 3_600);
    await clock.leap(900_000);
    expect((await ask(other, token, 'GET /locations')).status).toBe(200);
    expect(other.requests()).toMatchObject({ all: 6, refused: 1, 'GET /locations': 5 });
    await other.stop();
  });

  test('faults happen to the calls they are meant for, and no more often', async () => {
    const token = sandbox.token();
    sandbox.addFault({ kind: 'error', path: '/v1/servers', method: 'POST', code: 'conflict' });
    expect((await ask(sandbox, token, 'POST /servers', wanted)).body.error.code).toBe('conflict');
    sandbox.addFault({ kind: 'drop_before', path: '/v1/servers' });
    await expect(ask(sandbox, token, 'POST /servers', wanted)).rejects.toThrow('fetch failed');
    expect(sandbox.servers(token)).toHaveLength(0);
    sandbox.addFault({ kind: 'drop_after_commit', path: '/v1/servers' });
    await expect(ask(sandbox, token, 'POST /servers', wanted)).rejects.toThrow('fetch failed');
    expect(sandbox.servers(token)).toHaveLength(1);
    sandbox.addFault({ kind: 'action_error', method: 'POST', code: 'action_failed', body: 'web-02' });
    const { action } = (await ask(sandbox, token, 'POST /servers', { ...wanted, name: 'web-02' })).body;
    await clock.advance(2_000);
    expect((await ask(sandbox, token, `GET /actions/${action.id}`)).body.action).toMatchObject({
      status: 'error',
      error: { code: 'action_failed' },
    });
  });

  test('what was answered outlives a restart', async () => {
    const stateFile = join(await mkdtemp(join(tmpdir(), 'hetzner-')), 'state.json');
    const start = async () => startHetznerSandbox({ port: 0, clock, logger: silentLogger, stateFile });
    const before = await start();
    const token = before.token();
    await ask(before, token, 'POST /servers', wanted);
    await before.stop();
    await clock.advance(10_000);
    const after = await start();
    expect(after.servers(token)).toMatchObject([{ name: 'web-01', status: 'running' }]);
    await after.stop();
  });

  test("every answer holds against Hetzner's description, where that is at hand", async ({ skip }) => {
    if (!description) return skip('hetzner-cloud.openapi.json is not beside the project');
    const token = sandbox.token();
    const key = { name: 'k', public_key: `ssh-ed25519 ${Buffer.from('a key').toString('base64')} a` };
    const calls: [string, string, object?][] = [
      ['POST /ssh_keys', 'create_ssh_key_response', key],
      ['POST /servers', 'create_server_response', { ...wanted, ssh_keys: ['k'] }],
      ['GET /servers', 'list_servers_response'],
      ['GET /server_types', 'list_server_types_response'],
      ['GET /locations', 'list_locations_response'],
      ['GET /images', 'list_images_response'],
      ['GET /pricing', 'list_prices_response'],
      ['GET /ssh_keys', 'list_ssh_keys_response'],
      ['GET /datacenters', 'list_data_centers_response'],
      ['GET /servers/0', 'error_response'],
    ];
    const faults = [];
    for (const [line, schema, body] of calls)
      faults.push(...description.faults(schema, (await ask(sandbox, token, line, body)).body));
    const [server] = sandbox.servers(token);
    const { body: deleted } = await ask(sandbox, token, `DELETE /servers/${server!.id}`);
    faults.push(...description.faults('delete_server_response', deleted));
    const { body: listed } = await ask(sandbox, token, `GET /actions?id=${deleted.action.id}`);
    faults.push(...description.faults('list_actions_response', listed));
    expect(faults).toEqual([]);
    expect(description.faults('list_servers_response', { servers: [{}] })).not.toEqual([]);
  });
});

describe("Debian's hcloud", () => {
  test('is at hand, or this machine has none', ({ skip }) => {
    if (!hasCli) skip('hcloud is not installed (Debian package hcloud-cli)');
    expect(hasCli).toBe(true);
  });

  test.skipIf(!hasCli)('creates, lists, describes and deletes servers', async () => {
    const sandbox = await startHetznerSandbox({
      port: 0,
      clock: systemClock,
      logger: silentLogger,
      timing: { createMs: 300, startMs: 200, deleteMs: 200 },
    });
    const token = sandbox.token();
    const hcloud = async (...argv: string[]) =>
      (
        await run('hcloud', argv, {
          env: { ...process.env, HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: sandbox.url },
        })
      ).stdout;
    const made = await hcloud(
      'server',
      'create',
      '--name',
      'cli-01',
      '--type',
      'cx31',
      '--image',
      'ubuntu-24.04',
    );
    expect(made).toMatch(/Server \d+ created/);
    expect(await hcloud('server', 'list')).toMatch(/cli-01\s+running\s+198\.18\./);
    expect(await hcloud('server', 'describe', 'cli-01')).toContain('cx31');
    expect(await hcloud('server-type', 'list')).toContain('cx22');
    expect(await hcloud('location', 'list')).toContain('fsn1');
    await expect(
      hcloud('server', 'create', '--name', 'cli-01', '--type', 'cx31', '--image', 'ubuntu-24.04'),
    ).rejects.toThrow('uniqueness_error');
    await hcloud('server', 'delete', 'cli-01');
    await expect.poll(() => sandbox.servers(token)).toEqual([]);
    await sandbox.stop();
  });
});
