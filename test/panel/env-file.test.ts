import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

import { expect, test } from 'vitest';

import { areaSettings } from '#panel/areas.js';
import { standInsFor } from '#panel/demo/providers.js';
import { demoAccounts } from '#panel/demo/seed.js';
import { demoSettings } from '#panel/demo/settings.js';
import { cutSettings, disputedSettings } from '#panel/env-file.js';
import { panelEnv } from '#panel/env.js';
import { splitEnv } from '#panel/split-env.js';
import { EnvError } from '#platform/env.js';
import { assetPath } from '#platform/package-root.js';

import { exampleSettings } from '../support/settings.js';

test.each([
  ['A=ab#cd', ['A']],
  ['A=#cd', ['A']],
  ['export A = ab#cd # and more', ['A']],
  ['A=ab#cd\r\nB=ab\r\nC=x#', ['A', 'C']],
  ['A=ab # a comment', []],
  ['A= # a comment', []],
  ['#A=ab#cd', []],
  ['A="ab#cd"', []],
  [`A='ab#cd' # a comment`, []],
  ['A=`ab#cd`', []],
  ['A="first\nB=ab#cd\nlast"', []],
  ['A=', []],
])('of %j it names %j', (text, names) => {
  expect(cutSettings(text)).toEqual(names);
});

test.each([
  [String.raw`A=ab\cd`, ['A']],
  [String.raw`A="ab\\cd"`, ['A']],
  [String.raw`A="ab\"cd"`, ['A']],
  [String.raw`export A="one\ntwo" # a comment`, ['A']],
  [String.raw`A='ab\"cd'`, []],
  [`A='one\nB=ab\\cd\nlast'`, []],
  [String.raw`#A=ab\cd`, []],
  [String.raw`A=ab # a \ comment`, []],
  [String.raw`A="ab" # a \ comment`, []],
  ['A="ab#cd"', []],
])('of %j it names %j as read differently by systemd', (text, names) => {
  expect(disputedSettings(text)).toEqual(names);
});

const example = readFileSync(assetPath('.env.example'), 'utf8');

test('the example quotes each value, so that none is cut when it is filled in', () => {
  const lines = example.split('\n').filter((line) => /^#\w+=/.test(line));
  expect(lines.length).toBeGreaterThan(15);
  expect(lines.filter((line) => !/^#\w+="[^"]*"$/.test(line))).toEqual([]);
  const filledIn = example.replaceAll(/^#(\w+)=".*"$/gm, '$1="ab#cd"');
  expect(new Set(Object.values(parseEnv(filledIn)))).toEqual(new Set(['ab#cd']));
});

test('the example as it is sets nothing, so that a copy leaves what a unit, an image or the demo sets', () => {
  expect(parseEnv(example)).toEqual({});
});

test('the example lists each setting that there is, and no other', () => {
  const read = new Set<string>();
  const source = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get: (_, name) => {
        read.add(String(name).replace(/_FILE$/, ''));
        return undefined;
      },
    },
  );
  panelEnv(source);
  areaSettings(source);
  // What it requires is missing.
  expect(() => splitEnv(source)).toThrow(EnvError);
  // Every process has it, and it is no setting of the panel's.
  read.delete('PATH');
  expect(exampleSettings().toSorted()).toEqual([...read].toSorted());
});

test('a demo with empty settings has its own in their place, and always its own administrator', () => {
  const empty = Object.fromEntries(exampleSettings().map((name) => [name, '']));
  const settings = demoSettings({
    ...empty,
    ADMIN_EMAIL: 'ops@example.com',
    ADMIN_PASSWORD: 'not the demo one',
  });
  expect(settings).toEqual(demoSettings({}));
  expect(settings).toMatchObject({ HOST: '127.0.0.1', ADMIN_EMAIL: demoAccounts.administrator.email });
  const ofAll = ['hetzner', 'digitalocean'];
  expect(standInsFor(empty).map(({ id }) => id)).toEqual(ofAll);
  expect(standInsFor({ ...empty, HETZNER_API_BASE: 'https://api.example.com' }).map(({ id }) => id)).toEqual(
    ofAll.slice(1),
  );
});
