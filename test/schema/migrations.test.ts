import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { schemas } from '#panel/areas.js';
import { assetPath } from '#platform/package-root.js';

/** A line for each step, in the order in which they are applied: area, name, and a hash of its statements. */
const steps = schemas.flatMap(({ name: area, migrations }) =>
  migrations.map(({ name, statements }) => {
    const hash = createHash('sha256').update(JSON.stringify(statements)).digest('hex').slice(0, 16);
    return `${area} ${name} ${hash}`;
  }),
);
const committed = readFileSync(assetPath('schema', 'migrations.txt'), 'utf8').trimEnd().split('\n');

test('no step that may have been applied somewhere was edited, renamed or removed', () => {
  expect(committed.filter((line) => !steps.includes(line))).toEqual([]);
});

test('each step has its line in schema/migrations.txt, in the order in which they are applied', () => {
  expect(steps).toEqual(committed);
});

test('no index of the trails of all tenants is built while they can not be written', () => {
  const onTrails = schemas
    .flatMap(({ migrations }) => migrations)
    .filter(({ statements }) => {
      const has = (words: RegExp) => statements.some((statement) => words.test(statement));
      return (
        has(/^create index .* on identity\.audit_event /) && !has(/^create table identity\.audit_event /)
      );
    });
  expect(onTrails.map(({ name, buildsIndexes = false }) => [name, buildsIndexes])).toEqual([
    ['098_audit_requests', true],
    ['111_audit_named', true],
  ]);
});
