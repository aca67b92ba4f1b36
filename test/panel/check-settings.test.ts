import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { panelSettings } from '#panel/settings.js';
import { tlsWarnings } from '#panel/warnings.js';
import { EnvError } from '#platform/env.js';

import { createDataDir } from '../support/data-dir.js';
import { testSecretsKey } from '../support/panel.js';
import { freePort, PanelProcess, runProgram } from '../support/process.js';

const folder = createDataDir();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Nobody answers there. */
const database = 'postgresql://panel_app:of-the-login@127.0.0.1:1/panel';
const wrong = {
  PORT: 'x',
  SMTP_URL: 'ftp://mail',
  REGISTRATION: 'ajar',
  TEST_CLOCKS: 'true',
  TRUST_PROXY: 'nobody',
  ADMIN_EMAIL: 'root@panel.test',
  DATABASE_OWNER_URL: `${database}?sslmode=verify-full&sslrootcert=${folder}/nowhere.pem`,
  DATABASE_READ_URL: database,
};
const split = { PUBLIC_URL: 'https://panel.test/path', FLEET_URL: 'fleet' };
const problems = [
  /^PORT: /,
  /^SMTP_URL: /,
  /^REGISTRATION: must be open or closed$/,
  /^TEST_CLOCKS: needs a test key/,
  /^TRUST_PROXY: must be true, false/,
  /^ADMIN_PASSWORD is required with ADMIN_EMAIL$/,
  /^DATABASE_OWNER_URL: ENOENT: .*nowhere\.pem'$/,
  /^DATABASE_URL is required with DATABASE_OWNER_URL/,
  /^DATABASE_URL is required with DATABASE_READ_URL/,
];
const ofSplit = [
  /^PUBLIC_URL: must be http/,
  /^SECRETS_KEY is required$/,
  /^FLEET_URL: /,
  /^IDENTITY_URL is required$/,
  /^HOSTING_URL is required$/,
];

test.each([
  ['panel', 'main', [], wrong, problems],
  ['subgraph', 'subgraph', ['fleet'], { ...wrong, ...split }, [...problems, ...ofSplit]],
  [
    'gateway',
    'gateway',
    [],
    { ...wrong, ...split },
    [...problems, ...ofSplit, /^REDIS_URL is required for a gateway/],
  ],
  [
    'migrate',
    'migrate',
    [],
    { DATABASE_URL: 'x', LOG_LEVEL: 'loud' },
    [/^DATABASE_URL: /, /^LOG_LEVEL: /, /^DATABASE_OWNER_URL is required to migrate/],
  ],
] as [string, string, string[], Record<string, string>, RegExp[]][])(
  'of what is wrong for %s all is told at once, in the words of its start',
  async (asked, program, argv, settings, told) => {
    const all = { DATA_DIR: join(folder, asked), ...settings };
    const checked = await runProgram('check-settings', all, { argv: [asked] });
    const [first, ...lines] = checked.output.trimEnd().split('\n');
    expect([checked.code, first]).toEqual([1, 'Settings are missing or wrong:']);
    const words = lines.map((line) => line.replace(/^ {2}- /, ''));
    expect(told.filter((problem) => !words.some((line) => problem.test(line)))).toEqual([]);
    expect(checked.output).not.toContain('of-the-login');
    expect(await runProgram(program, all, { argv })).toEqual(checked);
    expect(existsSync(all.DATA_DIR)).toBe(false);
  },
  90_000,
);

test('settings that are in order are said to be, and nothing is made or connected to', async () => {
  const dataDir = join(folder, 'not', 'yet');
  const own = { DATABASE_URL: database, SECRETS_KEY: testSecretsKey };
  const addresses = Object.fromEntries(
    ['IDENTITY', 'FLEET', 'BILLING', 'GOVERNANCE', 'HOSTING'].map((area) => [
      `${area}_URL`,
      'http://127.0.0.1:1',
    ]),
  );
  const ofGateway = {
    SECRETS_KEY: testSecretsKey,
    ...addresses,
    PUBLIC_URL: 'https://panel.test',
    REDIS_URL: 'redis://127.0.0.1:1',
  };
  for (const [argv, settings, program] of [
    [[], {}, 'panel'],
    [['panel'], { ...own, PUBLIC_URL: 'https://panel.test' }, 'panel'],
    // It has no data, so where that would be does not matter.
    [['gateway'], { ...ofGateway, DATA_DIR: '/proc/none' }, 'gateway'],
    [['migrate'], { ...own, DATABASE_OWNER_URL: database }, 'migrate'],
  ] as [string[], Record<string, string>, string][]) {
    const end = await runProgram('check-settings', { DATA_DIR: dataDir, ...settings }, { argv });
    expect(end).toEqual({ code: 0, output: `The settings are in order (${program}).\n` });
  }
  expect(existsSync(join(folder, 'not'))).toBe(false);
}, 60_000);

test('an unknown program is answered with those that there are', async () => {
  const end = await runProgram('check-settings', {}, { argv: ['all'] });
  expect(end).toEqual({ code: 1, output: expect.stringContaining('panel, gateway, subgraph, migrate') });
});

test.each([
  ['sslmode=no-verify', true],
  ['ssl=no-verify', true],
  ['uselibpqcompat=true&sslmode=require', true],
  ['uselibpqcompat=true&sslmode=prefer', true],
  ['sslmode=verify-full', false],
  ['sslmode=require', false],
  ['ssl=true', false],
  ['sslmode=disable', false],
  ['', false],
])('of an address with %j it is warned where any certificate is taken: %s', (query, isWarned) => {
  const warnings = tlsWarnings({ DATABASE_URL: database, DATABASE_DIRECT_URL: `${database}?${query}` });
  expect(warnings.map((warning) => warning.split(': TLS to PostgreSQL is asked for without')[0])).toEqual(
    isWarned ? ['DATABASE_DIRECT_URL'] : [],
  );
  expect(warnings.join()).not.toContain('of-the-login');
});

test('with one’s own authority "require" looks at the certificate, and nothing is warned of', () => {
  const sslrootcert = join(folder, 'authority.pem');
  writeFileSync(sslrootcert, '');
  const query = new URLSearchParams({ uselibpqcompat: 'true', sslmode: 'require', sslrootcert });
  expect(tlsWarnings({ DATABASE_URL: `${database}?${query.toString()}` })).toEqual([]);
});

test('a start and the check warn once, by name, of TLS that takes anybody and of an address that is missing', async () => {
  const port = await freePort();
  const settings = {
    DATABASE_URL: `${database}?sslmode=no-verify`,
    DATABASE_READ_URL: `${database}?uselibpqcompat=true&sslmode=require`,
    SECRETS_KEY: testSecretsKey,
    PORT: String(port),
  };
  const checked = await runProgram('check-settings', settings);
  expect([checked.code, ...checked.output.split('\n')]).toEqual([
    0,
    expect.stringMatching(
      /^Warning: DATABASE_URL, DATABASE_READ_URL: TLS to PostgreSQL is asked for without/,
    ),
    expect.stringMatching(/^Warning: PUBLIC_URL is not set: /),
    'The settings are in order (panel).',
    '',
  ]);
  expect(checked.output).toContain(`http://localhost:${port}, `);
  const running = new PanelProcess(port, { ...settings, LOG_LEVEL: 'warn' });
  await running.said('does not answer');
  await running.kill('SIGTERM');
  for (const words of ['TLS to PostgreSQL is asked for without', 'PUBLIC_URL is not set'])
    expect(running.output.split(words)).toHaveLength(2);
  expect(checked.output + running.output).not.toContain('of-the-login');
}, 60_000);

function problemsOf(settings: Record<string, string>): readonly string[] {
  try {
    panelSettings(settings);
    return [];
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    return error.problems;
  }
}

test('a key that is none and a folder that cannot be made are settings that are wrong, and stay as they are', () => {
  const broken = join(folder, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'secrets.key'), 'c2hvcnQ=\n');
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(problemsOf({ DATA_DIR: broken, PORT: '-1' })).toEqual([
    expect.stringMatching(/^PORT: /),
    `DATA_DIR: ${broken}/secrets.key is not 32 bytes in base64, as a panel writes them`,
  ]);
  expect(problemsOf({ DATA_DIR: file })).toEqual([`DATA_DIR: ${file} is no folder`]);
  expect(problemsOf({ DATA_DIR: join(file, 'below') })).toEqual([
    `DATA_DIR: ${file}/below cannot be read (ENOTDIR)`,
  ]);
  // With a database of one's own it is not used.
  const own = { DATABASE_URL: database, SECRETS_KEY: testSecretsKey };
  expect(problemsOf({ ...own, DATA_DIR: file })).toEqual([]);
  expect(readFileSync(join(broken, 'secrets.key'), 'utf8')).toBe('c2hvcnQ=\n');
  expect(readdirSync(broken)).toEqual(['secrets.key']);
});

test('a folder that may not be written to is a setting that is wrong', ({ skip }) => {
  if (process.getuid?.() === 0) return skip('root may write to each');
  const closed = join(folder, 'closed');
  mkdirSync(closed, { mode: 0o555 });
  expect(problemsOf({ DATA_DIR: join(closed, 'data') })).toEqual([
    `DATA_DIR: ${closed} cannot be written to (EACCES)`,
  ]);
});

test('an administrator may be told of in files, as secrets are mounted', () => {
  const password = join(folder, 'admin_password');
  writeFileSync(password, 'correct horse battery\n');
  const { settings } = panelSettings({ ADMIN_EMAIL: 'root@panel.test', ADMIN_PASSWORD_FILE: password });
  expect(settings.identity).toMatchObject({
    ADMIN_EMAIL: 'root@panel.test',
    ADMIN_PASSWORD: 'correct horse battery',
  });
});
