import { getMetadataStorage } from 'type-graphql';

import { readsProperty } from '../execution/property.js';

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
export function addRenamedProperties(resolvers: Record<string, Record<string, unknown>>): void {
  const { objectTypes } = getMetadataStorage();
  for (const { name: type, target } of objectTypes) {
    const given = resolvers[type];
    if (!given) continue;
    for (const { schemaName, name, simple } of fieldsOf(target)) {
      if (simple && schemaName !== name) given[schemaName] ??= readsProperty(name);
    }
  }

  /** Its own first, which count before those of the classes that it extends. */
  function fieldsOf(target: object | null) {
    const own = objectTypes.find((type) => type.target === target)?.fields ?? [];
    const above: object | null = target && (Object.getPrototypeOf(target) as object | null);
    return above ? [...own, ...fieldsOf(above)] : own;
  }
}
