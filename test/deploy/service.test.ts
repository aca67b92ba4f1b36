import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

import { expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

const unit = readFileSync(assetPath('deploy', 'systemd', 'quazzar-panel.service'), 'utf8');
const guide = readFileSync(assetPath('docs', 'operating.md'), 'utf8');
const valuesOf = (name: string) =>
  [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value!);

test('a service that is set up as the guide says has its data in the folder that the unit may write to', () => {
  const [copied, to] = /^install -m 600 (\S+) (\S+)/m.exec(guide)!.slice(1) as [string, string];
  expect(valuesOf('EnvironmentFile')).toEqual([`-${to}`]);
  const own = valuesOf('Environment').flatMap((line) => line.split(' ').map((pair) => pair.split('=')));
  // What is in the file wins over what is in the unit (systemd.exec).
  const environment = { ...Object.fromEntries(own), ...parseEnv(readFileSync(assetPath(copied), 'utf8')) };
  expect(environment.DATA_DIR).toBe(`/var/lib/${valuesOf('StateDirectory')[0]}`);
  expect(valuesOf('ProtectSystem')).toEqual(['strict']);
});

test('the unit starts a program that a build makes, with the Node that the panel brings along', () => {
  const root = valuesOf('WorkingDirectory')[0]!;
  const [node, ...args] = valuesOf('ExecStart')[0]!.split(' ') as [string, ...string[]];
  expect(existsSync(assetPath(node.replace(`${root}/`, '')))).toBe(true);
  const program = /^dist\/(panel\/\w+)\.js$/.exec(args.at(-1)!)![1]!;
  expect(existsSync(assetPath(`${program}.ts`))).toBe(true);
});

test('a service that stops has the time that it needs, and is started anew when it ends for that', () => {
  const drain = 2;
  expect(Number(valuesOf('TimeoutStopSec')[0])).toBeGreaterThan(drain + 15);
  expect(valuesOf('Restart')).toEqual(['on-failure']);
});
