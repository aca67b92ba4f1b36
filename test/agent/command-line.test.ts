import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { readAgentEnv, type AgentEnv } from '#agent/env.js';
import { readSettings, usage } from '#agent/settings.js';
import { assetPath, packageRoot } from '#platform/package-root.js';
import { routes } from '#rest-compat/routes.js';

import { TestNode } from './support/node.js';

function run(...args: string[]) {
  const child = spawn(process.execPath, [assetPath('dist', 'agent', 'main.js'), ...args], {
    cwd: packageRoot,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => void (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (said.err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  return { child, said, ended };
}

test('flags win over the environment', () => {
  const env = { QUAZZAR_PANEL: 'https://env.example', QUAZZAR_TOKEN: 'flt_env', QUAZZAR_SIMULATE: 'true' };
  const argv = [
    '--panel',
    'https://flag.example',
    '--name',
    'n 1',
    '--hostname',
    'n1.example',
    '--redirect-uri',
    'https://n1/cb',
  ];
  expect(readSettings([...argv, '--state', '/tmp/s.json'], env)).toEqual({
    panelUrl: 'https://flag.example',
    token: 'flt_env',
    name: 'n 1',
    hostname: 'n1.example',
    baseUrl: undefined,
    stateFile: '/tmp/s.json',
    redirectUris: ['https://n1/cb'],
    version: '0.2.9',
    signIn: false,
    simulate: true,
    logLevel: 'info',
    proxies: {},
  });
});

test('proxies are read as curl reads them: small letters first, http without a scheme', () => {
  const proxiesOf = (env: AgentEnv) => {
    const settings = readSettings(['--panel', 'https://p.example'], env);
    return settings === 'help' ? undefined : settings.proxies;
  };
  expect(
    proxiesOf({
      https_proxy: 'http://small.example:3128',
      HTTPS_PROXY: 'http://great.example:3128',
      HTTP_PROXY: 'great.example:3128',
      no_proxy: 'localhost,.corp.example',
    }),
  ).toEqual({
    https: 'http://small.example:3128',
    http: 'http://great.example:3128',
    noProxy: 'localhost,.corp.example',
  });
  // As compose and systemd pass what is not set.
  const env = readAgentEnv({ https_proxy: '', HTTPS_PROXY: 'http://great.example:3128', no_proxy: '' });
  expect(proxiesOf(env)).toEqual({ https: 'http://great.example:3128' });
});

test.each([
  'socks5://u:s3cr@p.example',
  'http://u:s3cr@p.example/path',
  'http://u:s3cr%zz@p.example',
  'http://u:s3cr@',
])('a proxy at an address like %s is named as wrong, and not repeated', (address) => {
  const read = () => readSettings(['--panel', 'https://p.example'], { HTTPS_PROXY: address });
  expect(read).toThrow('HTTPS_PROXY is not the address of an http or https proxy');
  expect(read).not.toThrow('s3cr');
});

test("the agent's page has each call that it makes, those that the panel has for agents, and each flag", () => {
  const page = readFileSync(assetPath('agent', 'README.md'), 'utf8');
  const made = globSync('agent/**/*.ts', { cwd: packageRoot }).flatMap((file) =>
    [...readFileSync(assetPath(file), 'utf8').matchAll(/['`]((?:api\/agent|licences)\/[^'`]+)['`]/g)].map(
      ([, path]) => `/${path!.replace(/\$\{.*\}/, '{id}')}`,
    ),
  );
  const ofThePanel = routes
    .map(({ path }) => path.replace(':id', '{id}'))
    .filter((path) => path.startsWith('/api/agent/'));
  expect(made).toEqual(expect.arrayContaining(['/api/agent/commands/{id}/result', '/licences/keys.json']));
  expect(ofThePanel).toContain('/api/agent/enroll');
  const flags = usage.match(/--[a-z-]{3,}|QUAZZAR_(ISSUER|LOG_LEVEL)/g)!.filter((flag) => flag !== '--help');
  const named = [...made, ...ofThePanel, ...flags];
  expect(named.filter((name) => !page.includes(name))).toEqual([]);
});

test('two nodes of one machine get a state file each', () => {
  const file = (name: string) => {
    const settings = readSettings(['--panel', 'https://p.example', '--name', name], {
      XDG_STATE_HOME: '/state',
    });
    return settings === 'help' ? undefined : basename(settings.stateFile);
  };
  expect([file('one'), file('../two')]).toEqual(['one.json', '.._two.json']);
});

test('every wrong setting is named at once', () => {
  const env = { QUAZZAR_TOKEN: 'abc', QUAZZAR_SIMULATE: 'perhaps' };
  expect(() => readSettings(['--hostname', 'a b', '--base-url', 'ftp://x'], env)).toThrow(
    [
      '--panel (or QUAZZAR_PANEL) is required',
      'QUAZZAR_TOKEN does not look like an enrollment token (flt_...)',
      '--hostname is not a host name',
      '--base-url is not an http or https address',
      'QUAZZAR_SIMULATE is neither true nor false',
    ].join('\n'),
  );
});

test('--help explains, an unknown flag ends with 2', async () => {
  const [help, wrong] = await Promise.all([run('--help').ended, run('--pannel', 'x').ended]);
  expect(help).toMatchObject({ code: 0, err: '', out: expect.stringContaining('--panel URL') });
  expect(wrong).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining("Unknown option '--pannel'"),
  });
});

test('the agent as a process enrolls, beats, and ends cleanly on SIGTERM', async () => {
  const node = await TestNode.create();
  node.panel.heartbeatSeconds = 1;
  const { child, ended } = run(
    '--panel',
    node.panel.url,
    '--token',
    'flt_cli',
    '--simulate',
    '--name',
    'staging-01',
    '--state',
    node.stateFile,
  );
  await expect.poll(() => node.panel.beats.length, { timeout: 30_000 }).toBeGreaterThan(0);
  child.kill('SIGTERM');
  const { code, err } = await ended;

  expect(code).toBe(0);
  expect(node.panel.departures).toHaveLength(1);
  expect(err).not.toContain('flt_cli');
  expect(err).not.toContain('cred_1');
  expect(node.panel.enrollments[0]?.body).toMatchObject({
    token: 'flt_cli',
    name: 'staging-01',
    version: '0.2.9',
  });
  expect(node.panel.beats[0]?.body).toMatchObject({ cpu_percent: 12.8, memory_percent: 28.4, apps_count: 5 });
});

test('a second agent with the same state ends with 1, and one after a first that was killed does not', async () => {
  const node = await TestNode.create();
  node.panel.heartbeatSeconds = 1;
  const args = ['--panel', node.panel.url, '--token', 'flt_x', '--simulate', '--state', node.stateFile];
  const first = run(...args);
  onTestFinished(() => void first.child.kill('SIGKILL'));
  await expect.poll(() => node.panel.beats.length, { timeout: 30_000 }).toBeGreaterThan(0);
  expect(await run(...args).ended).toMatchObject({
    code: 1,
    err: `Another agent is at work with the state in ${node.stateFile}\n`,
  });
  first.child.kill('SIGKILL');
  await first.ended;
  const third = run(...args);
  await expect.poll(() => third.said.err, { timeout: 30_000 }).toContain('The agent is at work');
  third.child.kill('SIGTERM');
  expect((await third.ended).code).toBe(0);
  expect(readdirSync(dirname(node.stateFile)).toSorted()).toEqual(['state.json']);
  expect(node.panel.enrollments).toHaveLength(1);
});

test('an agent where no socket can be made goes on, and says what it does not know', async () => {
  const node = await TestNode.create();
  node.panel.heartbeatSeconds = 1;
  // Longer than the path of a socket may be.
  const state = join(dirname(node.stateFile), 'a'.repeat(60), 'b'.repeat(60), 'state.json');
  const { child, ended } = run('--panel', node.panel.url, '--token', 'flt_x', '--simulate', '--state', state);
  await expect.poll(() => node.panel.beats.length, { timeout: 30_000 }).toBeGreaterThan(0);
  child.kill('SIGHUP');
  const { code, err } = await ended;
  expect(code).toBe(0);
  expect(err).toContain('It can not be known whether another agent works with this state');
  expect(node.panel.departures).toHaveLength(1);
});

test('a token the panel refuses ends the process with 1', async () => {
  const node = await TestNode.create();
  node.panel.script('enroll', { status: 401, body: { error: 'The token has expired' } });
  const { ended } = run(
    '--panel',
    node.panel.url,
    '--token',
    'flt_old',
    '--simulate',
    '--state',
    node.stateFile,
  );
  expect(await ended).toMatchObject({
    code: 1,
    err: expect.stringContaining('HTTP 401: The token has expired'),
  });
});

test('an address that is no panel ends the process with 1 and its name', async () => {
  const node = await TestNode.create();
  const body = '<html>It works</html>';
  node.panel.script('enroll', { headers: { 'content-type': 'text/html' }, body });
  const { ended } = run(
    '--panel',
    node.panel.url,
    '--token',
    'flt_x',
    '--simulate',
    '--state',
    node.stateFile,
  );
  const { code, err } = await ended;
  expect(code).toBe(1);
  expect(err).toContain(
    `There is no panel at ${node.panel.url}; check the address. ${node.panel.url}/api/agent/enroll answered HTTP 200 ` +
      '(text/html): <html>It works</html>',
  );
});
