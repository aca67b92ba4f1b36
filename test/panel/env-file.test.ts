import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

import { expect, test } from 'vitest';

import { cutSettings } from '#panel/env-file.js';
import { assetPath } from '#platform/package-root.js';

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

test('the example quotes each value, so that none is cut when it is filled in', () => {
  const text = readFileSync(assetPath('.env.example'), 'utf8');
  const lines = text.split('\n').filter((line) => /^\w+=/.test(line));
  expect(lines.length).toBeGreaterThan(15);
  expect(lines.filter((line) => !/^\w+="[^"]*"$/.test(line))).toEqual([]);
  const filledIn = text.replaceAll(/^(\w+)=".*"$/gm, '$1="ab#cd"');
  expect(new Set(Object.values(parseEnv(filledIn)))).toEqual(new Set(['ab#cd']));
});
