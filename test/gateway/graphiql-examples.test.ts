import { readFileSync } from 'node:fs';

import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';

interface Example {
  title: string;
  query: string;
  variables?: string;
}

const { examples } = (await import(assetPath('gateway', 'graphiql', 'examples.js'))) as {
  examples: Example[];
};
const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));

test("GraphiQL's examples are of every domain, and hold against the schema", () => {
  const titles = examples.map(({ title }) => title);
  expect(titles).toEqual(
    expect.arrayContaining(['Fleet', 'Governance', 'Hosting', 'Billing', 'Organization']),
  );
  for (const { title, query, variables = '{}' } of examples) {
    const document = parse(query);
    expect([title, validate(schema, document)]).toEqual([title, []]);
    const [operation] = document.definitions.filter(({ kind }) => kind === 'OperationDefinition');
    const declared = operation?.kind === 'OperationDefinition' ? (operation.variableDefinitions ?? []) : [];
    const names = declared.map(({ variable }) => variable.name.value);
    expect([title, Object.keys(JSON.parse(variables) as object)]).toEqual([title, names]);
  }
});
