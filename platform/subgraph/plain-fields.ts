import { isObjectType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { getMetadataStorage } from 'type-graphql';

import { readsProperty } from '../execution/property.js';

type Resolvers = Record<string, Record<string, unknown>>;
type FieldMetadata = ReturnType<typeof getMetadataStorage>['fields'][number];

/**
 * Has type-graphql leave out the resolvers of fields that are a property and nothing else: they would cost each field of
 * each row some objects and functions. For after a first build, which finds out who has roles and middlewares.
 */
export function leaveOutPlainResolvers(): void {
  for (const { fields = [] } of getMetadataStorage().objectTypes) {
    for (const field of fields) {
      const isGuarded = field.roles !== undefined || (field.middlewares?.length ?? 0) > 0;
      field.simple ??= !isGuarded;
    }
  }
}

/** For fields that were left out, but whose property has another name than they, what reads it. */
export function addRenamedProperties(resolvers: Resolvers): void {
  const { objectTypes } = getMetadataStorage();
  for (const { name: type, target } of objectTypes) {
    const given = resolvers[type];
    if (!given) continue;
    for (const { schemaName, name, simple } of fieldsOf(target)) {
      if (simple && schemaName !== name) given[schemaName] ??= readsProperty(name);
    }
  }

  /** Its own first, which count before those of the classes that it extends. */
  function fieldsOf(target: object | null): readonly FieldMetadata[] {
    const own = objectTypes.find((type) => type.target === target)?.fields ?? [];
    const above: object | null = target && (Object.getPrototypeOf(target) as object | null);
    return above ? [...own, ...fieldsOf(above)] : own;
  }
}

/**
 * For field resolvers marked `@Extensions({ atHand: 'property' })`: asks them only for objects that do not have the
 * property. What a statement found out for each row of a list is not worked out a second time.
 */
export function takeWhatIsAtHand(schema: GraphQLSchema, resolvers: Resolvers): void {
  for (const type of Object.values(schema.getTypeMap())) {
    const given = resolvers[type.name];
    if (!isObjectType(type) || !given) continue;
    for (const { name, extensions } of Object.values(type.getFields())) {
      const { atHand } = extensions;
      if (typeof atHand !== 'string') continue;
      const resolve = given[name] as GraphQLFieldResolver<Record<string, unknown>, unknown>;
      given[name] = ((source, ...more) =>
        source[atHand] === undefined ? resolve(source, ...more) : source[atHand]) satisfies typeof resolve;
    }
  }
}
