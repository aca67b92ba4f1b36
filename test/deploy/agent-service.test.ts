import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

import { readAgentEnv } from '#agent/env.js';
import { readSettings, type Settings } from '#agent/settings.js';
import { assetPath } from '#platform/package-root.js';

const unitFile = assetPath('deploy', 'systemd', 'quazzar-agent.service');
const unit = readFileSync(unitFile, 'utf8');
const sample = readFileSync(assetPath('deploy', 'systemd', 'quazzar-agent.env'), 'utf8');
const valuesOf = (name: string) =>
  [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value!);
const ownEnvironment = Object.fromEntries(
  valuesOf('Environment').flatMap((line) =>
    line.split(' ').map((pair) => pair.split('=') as [string, string]),
  ),
);

function settingsOf(file: string): Settings {
  const settings = readSettings([], readAgentEnv({ ...ownEnvironment, ...parseEnv(file) }));
  if (settings === 'help') throw new Error('these are no settings');
  return settings;
}

test('the unit starts the agent that a build makes, with the Node that comes along, and its state where it may write', () => {
  const root = valuesOf('WorkingDirectory')[0]!;
  const [node, ...args] = valuesOf('ExecStart')[0]!.split(' ') as [string, ...string[]];
  expect(existsSync(assetPath(node.replace(`${root}/`, '')))).toBe(true);
  const program = /^dist\/(agent\/\w+)\.js$/.exec(args.at(-1)!)![1]!;
  expect(existsSync(assetPath(`${program}.ts`))).toBe(true);
  expect(settingsOf(sample).stateFile).toBe(`/var/lib/${valuesOf('StateDirectory')[0]}/state.json`);
});

test('its file of settings is one that the agent takes, as it is and with everything that it has in it', () => {
  expect(settingsOf(sample)).toMatchObject({ panelUrl: 'https://panel.example.com', proxies: {} });
  const all = sample.replaceAll(/^#(?=[A-Z_]+=)/gm, '');
  const known = Object.keys(readAgentEnv(parseEnv(all)));
  expect(known.toSorted()).toEqual(Object.keys(parseEnv(all)).toSorted());
  expect(settingsOf(all)).toMatchObject({
    name: 'edge-01',
    appsPath: '/srv/apps',
    proxies: {
      https: 'http://node:s3cr%40t@proxy.example.com:3128',
      http: 'http://node:s3cr%40t@proxy.example.com:3128',
      noProxy: 'localhost,.example.com',
    },
  });
});

test('an agent that ends is started anew, but not with settings that are wrong', () => {
  expect([valuesOf('Restart'), valuesOf('RestartPreventExitStatus')]).toEqual([['on-failure'], ['2']]);
  expect(Number(valuesOf('TimeoutStopSec')[0])).toBeGreaterThan(4);
});

test('systemd has nothing to say of the unit', ({ skip }) => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0)
    return skip('systemd-analyze is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'quazzar-unit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'quazzar-agent.service');
  // It looks whether the program is there.
  writeFileSync(file, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--recursive-errors=no', file]);
  expect([status, stderr.toString()]).toEqual([0, '']);
});
