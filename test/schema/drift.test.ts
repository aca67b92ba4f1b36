import { readdirSync, readFileSync } from 'node:fs';

import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';

import { schemaFiles, staleFiles } from '#panel/print-schema.js';
import { assetPath } from '#platform/package-root.js';

describe('the committed schema', () => {
  let printed: Record<string, string>;
  beforeAll(async () => {
    printed = await schemaFiles();
  });

  test('is what the code prints', () => {
    expect(staleFiles(printed)).toEqual([]);
  });

  test('has a file for each subgraph, the supergraph and the API, and no other', () => {
    const committed = readdirSync(assetPath('schema')).filter((name) => name.endsWith('.graphql'));
    expect(committed.toSorted()).toEqual(Object.keys(printed).toSorted());
    expect(Object.keys(printed)).toEqual(
      expect.arrayContaining(['api.graphql', 'fleet.graphql', 'identity.graphql']),
    );
  });

  test('is printed the same twice', async () => {
    expect(await schemaFiles()).toEqual(printed);
  });
});

/** Names that GraphQL or federation has given, which no word of ours explains. */
const roots = new Set(['Query', 'Mutation', 'Subscription']);

/** The coordinates (GraphQL spec, "Schema Coordinates") of all that clients see, and whether it is described. */
function descriptions(schema: GraphQLSchema): { at: string; isDescribed: boolean }[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .flatMap((type) => [
      ...(roots.has(type.name) ? [] : [{ at: type.name, isDescribed: hasWords(type) }]),
      ...descriptionsIn(type),
    ]);
}

function descriptionsIn(type: GraphQLNamedType): { at: string; isDescribed: boolean }[] {
  if (isEnumType(type)) {
    return type
      .getValues()
      .map((value) => ({ at: `${type.name}.${value.name}`, isDescribed: hasWords(value) }));
  }
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).map((field) => ({
      at: `${type.name}.${field.name}`,
      isDescribed: hasWords(field),
    }));
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => [
    { at: `${type.name}.${field.name}`, isDescribed: hasWords(field) },
    ...field.args.map((arg) => ({
      at: `${type.name}.${field.name}(${arg.name}:)`,
      isDescribed: hasWords(arg),
    })),
  ]);
}

function hasWords({ description }: { description?: string | null | undefined }): boolean {
  return (description ?? '').trim().length > 3;
}

function undescribed(sdl: string): string[] {
  return descriptions(buildSchema(sdl))
    .filter(({ isDescribed }) => !isDescribed)
    .map(({ at }) => at);
}

describe('the documentation that clients read', () => {
  const sdl = readFileSync(assetPath('schema', 'api.graphql'), 'utf8');

  test('says something of every type, field, argument, input field and enum value', () => {
    expect(descriptions(buildSchema(sdl)).length).toBeGreaterThan(200);
    expect(undescribed(sdl)).toEqual([]);
  });

  test('is missed where it is missing', () => {
    const wordless =
      'enum E { A } input I { f: E } type T { f(a: I): E } type Query { t(input: I, id: ID): T }';
    expect(undescribed(wordless)).toEqual([
      'E',
      'E.A',
      'I',
      'I.f',
      'T',
      'T.f',
      'T.f(a:)',
      'Query.t',
      'Query.t(input:)',
      'Query.t(id:)',
    ]);
  });
});
