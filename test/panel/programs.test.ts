import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { afterEach, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { EmbeddedServers, query } from '../platform/support/embedded-servers.js';
import { createDataDir } from '../support/data-dir.js';
import { runProgram } from '../support/process.js';

const servers = new EmbeddedServers();
afterEach(async () => servers.clear());

function emptyFolder(): string {
  const folder = createDataDir();
  servers.later(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('migrate with the owner alone migrates the database that is named, and says what it did', async () => {
  const server = await servers.start(servers.temporaryFolder());
  await query(server.url('postgres'), 'create database named');
  const dataDir = join(emptyFolder(), 'data');
  const settings = { DATABASE_OWNER_URL: server.url('named'), DATA_DIR: dataDir };

  const first = await runProgram('migrate', settings);
  expect(first).toEqual({ code: 0, output: expect.stringMatching(/^Migrated 127\.0\.0\.1:\d+\/named:\n/) });
  expect(first.output).toMatch(/^ {2}fleet: 001_instances, /m);
  expect(first.output).toContain('The database is up to date.\n');
  expect(first.output).toContain('panel_app, which has no password yet');
  const steps = await query(server.url('named'), 'select name from fleet.migration order by id');
  expect(steps[0]).toEqual({ name: '001_instances' });
  expect(existsSync(dataDir)).toBe(false);

  await query(server.url('named'), `alter role panel_app password 'of the operator'`);
  const again = await runProgram('migrate', settings);
  expect(again.output).toMatch(/:\n( {2}\w+: nothing to do\n)+The database is up to date\.\n$/);
  expect(await query(server.url('named'), 'select name from fleet.migration order by id')).toEqual(steps);
}, 90_000);

test('roles as make-roles.sh makes them are enough for a migration by the owner alone, after which the login gets in', async ({
  skip,
}) => {
  if (spawnSync('psql', ['--version']).status !== 0) return skip('psql is not on this machine');
  const server = await servers.start(servers.temporaryFolder());
  const urlAs = (username: string, password: string, database = 'panel') =>
    Object.assign(new URL(server.url(database)), { username, password }).href;
  // An operator's server has another superuser.
  await query(server.url('postgres'), `create role postgres superuser login password 'super-word'`);
  const superuser = urlAs('postgres', 'super-word', 'postgres');
  await query(superuser, 'alter role panel_owner rename to of_the_embedded_server');
  execFileSync(assetPath('deploy', 'cluster', 'make-roles.sh'), [superuser], {
    env: { PATH: process.env['PATH'], OWNER_PASSWORD: 'owner-word', APP_PASSWORD: 'login-word' },
  });
  const settings = { DATABASE_OWNER_URL: urlAs('panel_owner', 'owner-word') };
  const migrated = await runProgram('migrate', { ...settings, DATA_DIR: join(emptyFolder(), 'data') });
  expect(migrated).toMatchObject({
    code: 0,
    output: expect.stringContaining('The database is up to date.\n'),
  });
  // Such an owner may not see whether the login has one.
  expect(migrated.output).toContain(`alter role panel_app password '...'`);
  const rights = `select pg_has_role('fleet_app', 'set') as "maySet", pg_has_role('fleet_app', 'usage') as inherits`;
  expect(await query(urlAs('panel_app', 'login-word'), rights)).toEqual([{ maySet: true, inherits: false }]);
}, 90_000);

test.concurrent.each(['migrate', 'rotate-keys', 'rotate-secrets'])(
  '%s without a database says so, and makes none',
  async (name) => {
    const dataDir = join(emptyFolder(), 'data');
    expect(await runProgram(name, { DATA_DIR: dataDir })).toEqual({
      code: 1,
      output:
        `There is no database of a panel in ${dataDir}; the first start of a panel makes one. Set DATA_DIR to the ` +
        'folder of the panel that is meant, or DATABASE_URL and DATABASE_OWNER_URL to a PostgreSQL of your own.\n',
    });
    expect(existsSync(dataDir)).toBe(false);
  },
);

test.each([
  [
    'migrate',
    { DATABASE_URL: 'postgresql://panel_app@127.0.0.1:1/x' },
    'DATABASE_OWNER_URL is required to migrate',
  ],
  [
    'main',
    { DATABASE_OWNER_URL: 'postgresql://owner@127.0.0.1:1/x' },
    'DATABASE_URL is required with DATABASE_OWNER_URL',
  ],
])('%s with half of the addresses of a database says which is missing: %o', async (name, settings, words) => {
  const { code, output } = await runProgram(name, { ...settings, DATA_DIR: join(emptyFolder(), 'data') });
  expect([code, output]).toEqual([
    1,
    expect.stringContaining(`Settings are missing or wrong:\n  - ${words}`),
  ]);
});

test('a start warns of the settings that a # in its .env cuts short, and does not tell their values', async () => {
  const file = join(emptyFolder(), '.env');
  writeFileSync(file, 'ADMIN_PASSWORD=correct#horse\nPORT=4000 # the port\nSMTP_URL="smtp://u:p#w@mail"\n');
  const { output } = await runProgram(
    'migrate',
    { DATA_DIR: join(emptyFolder(), 'data') },
    { nodeArguments: [`--env-file-if-exists=${file}`] },
  );
  expect(output.split('\n', 2)).toEqual([
    `Warning: ${file}: the value of ADMIN_PASSWORD ends before its "#", as what follows is a comment. Put quotes around the value.`,
    expect.stringMatching(/^There is no database/),
  ]);
});

const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((node) => existsSync(node) && majorOf(node) < 24);

function majorOf(node: string): number {
  return Number.parseInt(execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }), 10);
}

test('started by an older Node.js every program says what to do instead', async ({ skip }) => {
  if (oldNode === undefined) return skip('there is no older Node.js on the PATH');
  const programs = [
    'main',
    'demo',
    'gateway',
    'subgraph',
    'migrate',
    'administrator',
    'rotate-keys',
    'rotate-secrets',
    'parked',
    'check-settings',
    'jobs',
  ];
  const ends = await Promise.all(programs.map(async (name) => runProgram(name, {}, { node: oldNode })));
  for (const end of ends) {
    expect(end).toEqual({
      code: 1,
      output: expect.stringMatching(
        /^This needs Node\.js 24 or newer, and was started by \d+\.\d+\.\d+\. Use the npm scripts .*\n$/,
      ),
    });
  }
});

test('a signal to npm reaches what runs until it is stopped, with no shell in between that would keep it', () => {
  const { scripts } = JSON.parse(readFileSync(assetPath('package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const name of ['start', 'demo', 'agent']) expect(scripts[name]).toMatch(/^exec node /);
});
