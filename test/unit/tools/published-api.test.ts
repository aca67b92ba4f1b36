import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

import { publishedApi } from '../../../tools/published-api.js';

const api = `
  enum Kind { A B }
  type Item { id: ID! name: String! kind: Kind }
  input Page { after: ID size: Int! = 20 }
  type Query { items(first: Int): [Item!]! item(id: ID!): Item page(page: Page!, times: Int! = 1): Item }
`;
const removed = { path: 'Item.name', message: "Field 'name' was removed from object type 'Item'" };
const withoutName = api.replace(' name: String!', '');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'published-'));
  mkdirSync(join(folder, 'published'));
  write('published/api.graphql', api);
  decide([]);
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const decide = (decisions: unknown) => write('published/decisions.json', JSON.stringify(decisions));
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const compare = async (current: string, isCheck = true) => {
  write('api.graphql', current);
  return publishedApi(folder, { isCheck, today: '2026-11-28' });
};

test('an API that is the published one passes without a word', async () => {
  expect(await compare(api)).toBe('');
});

test('additions become part of the published API, and are protected from then on', async () => {
  const more = api.replace('name: String!', 'name: String! size: Int');
  await expect(compare(more)).rejects.toThrow('run "npm run schema"');
  expect(await compare(more, false)).toContain('written');
  expect(await compare(more)).toBe('');
  await expect(compare(api)).rejects.toThrow("Item.size: Field 'size' was removed from object type 'Item'");
});

test.for([
  ['a field that is gone', ' name: String!', '', removed.message],
  [
    'a value that may be null now',
    'items(first: Int): [Item!]!',
    'items(first: Int): [Item!]',
    'Query.items',
  ],
  ['an argument that has to be given now', 'first: Int', 'first: Int!', 'Query.items.first'],
  ['an argument that had a default', 'times: Int! = 1', 'times: Int!', 'Query.page.times'],
  ['a field of an input that had a default', 'size: Int! = 20', 'size: Int!', 'Page.size'],
  ['an argument of another type', 'id: ID!): Item', 'id: Int!): Item', 'Query.item.id'],
  ['an enum value that is gone', 'A B', 'A', 'Kind.B'],
  ['a type that is gone', 'item(id: ID!): Item', '', 'Query.item'],
] as const)('%s is named and refused, also when the files are written', async ([, before, after, named]) => {
  const broken = api.replace(before, after);
  await expect(compare(broken)).rejects.toThrow(named);
  await expect(compare(broken, false)).rejects.toThrow('break clients');
  expect(read('published/api.graphql')).toBe(api);
});

test('a change that may break some clients is told of and passes', async () => {
  expect(await compare(api.replace('A B', 'A B C'), false)).toContain('Kind.C');
  const changed = api.replace('A B', 'A B C').replace('size: Int! = 20', 'size: Int! = 30');
  expect(await compare(changed, false)).toContain('Page.size');
});

test('a breaking change passes once, with a reason', async () => {
  decide([{ ...removed, reason: 'nobody has read it since version 2' }]);
  expect(await compare(withoutName, false)).toContain('written');
  expect(await compare(withoutName)).toBe('');
  expect(JSON.parse(read('published/decisions.json'))).toEqual([
    { ...removed, reason: 'nobody has read it since version 2', published: '2026-11-28' },
  ]);
  // What was decided then says nothing of the same change later.
  await compare(api, false);
  await expect(compare(withoutName)).rejects.toThrow(removed.message);
});

test('a decision without a reason, or on nothing, is refused', async () => {
  decide([{ ...removed, reason: '' }]);
  await expect(compare(withoutName)).rejects.toThrow('reason');
  decide([{ ...removed, reason: 'nobody has read it since version 2' }]);
  await expect(compare(api)).rejects.toThrow('changes that there are not');
});

test('the committed files pass, and the check is a program that says so', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'tools/published-api.ts', '--check'],
    { cwd: assetPath('.'), encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}, 60_000);
