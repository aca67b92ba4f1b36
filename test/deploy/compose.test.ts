import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { assetPath } from '#platform/package-root.js';

import { exampleSettings } from '../support/settings.js';
import { composeFaults, layered, readCompose, type Compose, type Service } from './support/compose.js';
import { checkHaproxy, namesIn, rendered } from './support/engine-config.js';

const base = readCompose('docker-compose.yml');
const deployments: Record<string, Compose> = {
  'docker-compose.yml': base,
  'compose.split.yml over it': layered(base, readCompose('compose.split.yml')),
  'compose.observability.yml over it': layered(base, readCompose('compose.observability.yml')),
};

let secrets: string;
beforeAll(() => {
  secrets = mkdtempSync(join(tmpdir(), 'panel-secrets-'));
  if (makeSecrets() !== 0) throw new Error('make-secrets.sh has failed');
});
afterAll(() => rmSync(secrets, { recursive: true }));

const makeSecrets = () => spawnSync(assetPath('deploy', 'cluster', 'make-secrets.sh'), [secrets]).status;
const settingsOf = ({ environment = {} }: Service) => Object.entries(environment);
const isEngine = ({ image }: Service) => image === 'quazzar-engines';

/** Settings that panels are not told, and why. */
const untold = {
  HOST: 'of the image',
  PORT: 'of the image',
  DATA_DIR: 'of the image',
  NODE_ADDRESS: "the container's name and the port, by default",
  KEEP_ALIVE_SECONDS: 'haproxy.cfg is made for what it is by default',
  DATABASE_OWNER_URL: 'of the service that migrates',
  GIT_SSL_CAINFO: 'a file, which has to be mounted too',
  ...Object.fromEntries(
    ['GATEWAY', 'IDENTITY', 'FLEET', 'BILLING', 'GOVERNANCE', 'HOSTING'].map((name) => [
      `${name}_URL`,
      'in split mode only, where compose.split.yml has it',
    ]),
  ),
};
const untoldToGateways = {
  DATABASE_URL: 'has none',
  DATABASE_DIRECT_URL: 'has none',
  DATABASE_READ_URL: 'has none',
  PATRONI_URLS: "of hosting's",
};

test.each(['panels', 'split'])('Prometheus asks each process for metrics: %s', (targets) => {
  const { services } = deployments[targets === 'split' ? 'compose.split.yml over it' : 'docker-compose.yml']!;
  const told = Object.entries(services)
    .filter(([, { environment, profiles }]) => environment?.['METRICS_PORT'] && !profiles)
    .map(([name, { environment }]) => `${name}:${environment!['METRICS_PORT']}`);
  const file = readFileSync(assetPath('deploy', 'observability', 'targets', `${targets}.yml`), 'utf8');
  expect(parse(file)).toEqual([{ targets: told.toSorted() }]);
});

for (const file of ['docker-compose.yml', 'compose.split.yml', 'compose.observability.yml'])
  test(`${file} is what the compose specification allows`, () => {
    // Services that only add to those of another file are services all the same.
    expect(composeFaults(readCompose(file))).toEqual([]);
  });

test('a fault in a compose file is found', () => {
  const faulty = { services: { one: { image: 'x', comand: ['y'], read_only: 'yes' } } };
  expect(composeFaults(faulty)).toHaveLength(2);
});

describe.each(Object.entries(deployments))('%s', (_name, { services, ...declared }) => {
  const all = Object.entries(services);

  test('each service names secrets, volumes, networks and services that there are', () => {
    for (const [name, service] of all) {
      const needed = [service.depends_on ?? []].flatMap((on) => (Array.isArray(on) ? on : Object.keys(on)));
      const volumes = (service.volumes ?? []).map((volume) => volume.split(':')[0]!);
      expect({ name, missing: needed.filter((other) => !(other in services)) }).toEqual({
        name,
        missing: [],
      });
      for (const secret of service.secrets ?? []) expect(declared.secrets).toHaveProperty([secret]);
      for (const network of service.networks ?? []) expect(declared.networks).toHaveProperty([network]);
      const isThere = (volume: string) =>
        volume.startsWith('./') ? existsSync(assetPath(volume)) : volume in (declared.volumes ?? {});
      expect(volumes.filter((volume) => !isThere(volume))).toEqual([]);
    }
  });

  test('each secret is a file that make-secrets.sh makes, and each setting in a file is a secret of its service', () => {
    for (const { file } of Object.values(declared.secrets ?? {})) {
      const made = readFileSync(join(secrets, file.replace('./secrets/', '')), 'utf8');
      expect(made).toMatch(/^\S{16,}$/);
    }
    for (const [name, service] of all) {
      const files = settingsOf(service).filter(([setting]) => setting.endsWith('_FILE'));
      const named = files.map(([, value]) => value.replace('/run/secrets/', ''));
      const missing = named.filter((secret) => !service.secrets?.includes(secret));
      expect({ name, missing }).toEqual({ name, missing: [] });
    }
  });

  test('what reads from replicas shares with others how far tenants have written', () => {
    const readers = all.filter(([, { environment = {} }]) => 'DATABASE_READ_URL_FILE' in environment);
    expect(readers.length).toBeGreaterThan(0);
    for (const [name, { environment }] of readers)
      expect({ name, ...environment }).toHaveProperty('REDIS_URL_FILE');
  });

  test('what is written to is named: the rest of a container is read-only, and without privileges', () => {
    for (const [name, service] of all) {
      expect({ name, ...service }).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
  });

  test('panels are told settings that they know, and have the time that they need for a stop', () => {
    const known = new Set(exampleSettings());
    for (const [name, service] of all.filter(([, { image }]) => image === 'quazzar-panel')) {
      const unknown = settingsOf(service)
        .map(([setting]) => setting.replace(/_FILE$/, ''))
        .filter((setting) => !known.has(setting));
      expect({ name, unknown }).toEqual({ name, unknown: [] });
      // What ends by itself has none.
      const { DRAIN_SECONDS: drain = '-15' } = service.environment ?? {};
      const grace = Number.parseInt(service.stop_grace_period ?? '10', 10);
      expect(grace).toBeGreaterThan(Number(drain) + 15);
    }
  });

  test('each setting of the example reaches the panels, but for what the deployment decides', () => {
    const missing = all
      .filter(([name, { image }]) => image === 'quazzar-panel' && name !== 'migrate')
      .flatMap(([name, service]) => {
        const told = new Set(settingsOf(service).map(([setting]) => setting.replace(/_FILE$/, '')));
        const decided = Object.keys({ ...untold, ...(name.startsWith('gateway') ? untoldToGateways : {}) });
        return exampleSettings()
          .filter((setting) => !told.has(setting) && !decided.includes(setting))
          .map((setting) => `${name}: ${setting}`);
      });
    expect(missing).toEqual([]);
  });

  test('what start.sh fills in is set for each engine', () => {
    const templates: Record<string, string> = {
      patroni: 'patroni.yml',
      haproxy: 'haproxy.cfg',
      pgbouncer: 'pgbouncer.ini',
      redis: 'redis.conf',
      sentinel: 'sentinel.conf',
    };
    for (const [name, service] of all.filter(([, each]) => isEngine(each))) {
      const template = templates[service.command?.[0] ?? ''];
      if (template === undefined) continue;
      const set = settingsOf(service).map(([setting]) => setting.replace(/_FILE$/, ''));
      // Of the image, and of start.sh itself.
      const given = new Set([...set, 'ETC', 'RUN_DIR', 'STATE_DIR']);
      expect({ name, missing: namesIn(template).filter((setting) => !given.has(setting)) }).toEqual({
        name,
        missing: [],
      });
    }
  });

  test('haproxy takes its configuration', () => {
    const { environment = {} } = services['haproxy'] as Service;
    expect(checkHaproxy(withSecrets(environment))).toEqual({
      status: 0,
      words: expect.any(String) as string,
    });
  });
});

test('secrets that are there stay as they are, in a folder of their own', () => {
  const read = () => readdirSync(secrets).map((name) => [name, readFileSync(join(secrets, name), 'utf8')]);
  const before = read();
  expect(makeSecrets()).toBe(0);
  expect(read()).toEqual(before);
  expect(statSync(secrets).mode & 0o777).toBe(0o700);
});

test('a setting that is missing ends the start with its name', () => {
  const { environment = {} } = base.services['pgbouncer'] as Service;
  const { PGBOUNCER_PORT: _left, ...rest } = withSecrets(environment);
  const { status, words } = rendered('pgbouncer', rest);
  expect(status).not.toBe(0);
  expect(words).toMatch(/^PGBOUNCER_PORT is not set, which \S+pgbouncer\.ini needs\n$/);
});

/** Secrets are mounted under /run/secrets in containers, and are here in a folder of the test's. */
function withSecrets(environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.replace('/run/secrets', secrets)]),
  );
}
