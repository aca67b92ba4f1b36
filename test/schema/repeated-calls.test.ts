import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { buildSchema, getNamedType, isInputObjectType } from 'graphql';
import { expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';
import { routes } from '#rest-compat/routes.js';

const text = (...path: string[]) => readFileSync(assetPath(...path), 'utf8');

/** Those whose input takes the key. */
function mutationsWithKey(): string[] {
  const fields = Object.values(buildSchema(text('schema', 'api.graphql')).getMutationType()!.getFields());
  const takesKey = fields.filter(({ args }) =>
    args.some(({ type }) => {
      const input = getNamedType(type);
      return isInputObjectType(input) && 'idempotencyKey' in input.getFields();
    }),
  );
  return takesKey.map(({ name }) => name).toSorted();
}

/** The routes whose documents run one of them. */
function routesOf(mutations: readonly string[]): string[] {
  const runs = ({ document }: { document: string }) => {
    const source = text(join('rest-compat', 'operations', `${document}.graphql`));
    return mutations.some((name) => new RegExp(`\\b${name}\\(`).test(source));
  };
  return routes
    .filter(runs)
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    .toSorted();
}

test('the page for clients lists what looks at an Idempotency-Key, all of it and nothing else', () => {
  const rows = [...text('docs', 'clients.md').matchAll(/^\| (`\w+`(?:, `\w+`)*) \| (.*) ?\|$/gm)];
  const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
  const mutations = mutationsWithKey();
  expect(mutations.length).toBeGreaterThan(5);
  expect(rows.flatMap(([, names]) => quoted(names!)).toSorted()).toEqual(mutations);
  expect(rows.flatMap(([, , calls]) => quoted(calls!)).toSorted()).toEqual(routesOf(mutations));
});
