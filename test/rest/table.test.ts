import { readdirSync, readFileSync } from 'node:fs';

import { buildSchema, getOperationAST, Kind, parse, validate, type OperationDefinitionNode } from 'graphql';
import { describe, expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';
import { compileEndpoint } from '#rest-compat/endpoint.js';
import { loadOperations } from '#rest-compat/operations.js';
import { routes } from '#rest-compat/routes.js';

const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
const folder = assetPath('rest-compat', 'operations');

/** OpenID Connect Core, section 5.3.1: clients may use either method. */
const readsByPost = ['/api/oauth/userinfo'];

describe.each(routes.map((row) => [`${row.method} ${row.path}`, row] as const))('%s', (_name, row) => {
  const document = parse(readFileSync(`${folder}/${row.document}.graphql`, 'utf8'));
  const operation = getOperationAST(document) as OperationDefinitionNode;

  test('its document is valid against the API schema and has the name of its file', () => {
    expect(validate(schema, document)).toEqual([]);
    expect(operation.name?.value).toBe(row.document.split('/')[1]);
  });

  test('path, query and body are exactly the variables of its operation', () => {
    const paging = row.reply.verb === 'page' ? ['first', 'after'] : [];
    const filled = [
      ...row.params,
      ...(row.query ?? []),
      ...paging,
      ...(row.body === undefined ? [] : [row.body]),
    ];
    const declared = (operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
    expect(new Set(filled)).toEqual(new Set(declared));
    expect(filled).toHaveLength(declared.length);
  });

  test('its root field is aliased reply', () => {
    const aliases = operation.selectionSet.selections.map((field) =>
      field.kind === Kind.FIELD ? field.alias?.value : undefined,
    );
    expect(aliases).toContain('reply');
  });

  test('it reads with GET and writes with everything else', () => {
    const reads = row.method === 'GET' || readsByPost.includes(row.path);
    expect(operation.operation).toBe(reads ? 'query' : 'mutation');
  });

  test('its options name what the document selects', () => {
    const loaded = loadOperations(schema, folder, [row.document]).get(row.document);
    expect(loaded && compileEndpoint(row, loaded).route).toBe(row);
  });

  test('every name that a client sees is in snake_case', () => {
    for (const name of shownNames(operation, row.reply.verb === 'page'))
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  });
});

test('every list takes limit and cursor', () => {
  const lists = routes.filter(({ document }) => /\/List/.test(document));
  expect(lists.length).toBeGreaterThan(20);
  for (const { path, reply } of lists)
    expect([path, ['page', 'list'].includes(reply.verb)]).toEqual([path, true]);
});

test('every document belongs to a row, and no route is in the table twice', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.graphql'),
  );
  const used = new Set(routes.map(({ document }) => `${document}.graphql`));
  expect(new Set(files)).toEqual(used);
  const keys = routes.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ':')}`);
  expect(new Set(keys).size).toBe(keys.length);
});

/** The response keys of what becomes the body: everything under `reply`, or under its nodes. */
function shownNames(operation: OperationDefinitionNode, isPage: boolean): string[] {
  const names: string[] = [];
  const walk = (node: OperationDefinitionNode['selectionSet'] | undefined, shown: boolean): void => {
    for (const field of node?.selections ?? []) {
      if (field.kind !== Kind.FIELD) continue;
      const key = field.alias?.value ?? field.name.value;
      if (shown) names.push(key);
      walk(field.selectionSet, shown || key === (isPage ? 'nodes' : 'reply'));
    }
  };
  walk(operation.selectionSet, false);
  return names;
}
