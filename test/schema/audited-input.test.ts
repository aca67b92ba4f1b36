import { readFileSync } from 'node:fs';

import { buildSchema, isInputObjectType, type GraphQLInputField } from 'graphql';
import { expect, test } from 'vitest';

import { assetPath } from '#platform/package-root.js';
import { withoutSecrets } from '#platform/subgraph/audit.js';

const tellsOfSecrecy = /sealed|never (answered|shown|told)|write-only/i;

test('what an input calls sealed or never answered does not come into the audit trail', () => {
  const schema = buildSchema(readFileSync(assetPath('schema', 'api.graphql'), 'utf8'));
  const fields = Object.values(schema.getTypeMap())
    .filter(isInputObjectType)
    .flatMap((type) => Object.values<GraphQLInputField>(type.getFields()))
    .filter(({ description }) => tellsOfSecrecy.test(description ?? ''))
    .map(({ name }) => name);
  expect(fields).toEqual(expect.arrayContaining(['env', 'kubeconfig', 'token']));
  for (const name of fields) expect(withoutSecrets({ [name]: 'secret' })).toEqual({ [name]: '[redacted]' });
});
