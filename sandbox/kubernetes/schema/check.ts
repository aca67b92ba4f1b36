import { isObject, type Json } from '../wire.js';
import { fieldOf, type Schema } from './schema.js';

/** Fields that the type does not have, as strict field validation names them. */
export function unknownFields(value: Json | undefined, schema: Schema, path = ''): string[] {
  if (Array.isArray(value) && 'of' in schema)
    return value.flatMap((item, at) => unknownFields(item, schema.of, `${path}[${at}]`));
  if (!isObject(value) || schema.type === 'untyped') return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const field = fieldOf(schema, name);
    return field ? unknownFields(inner, field, at) : [at];
  });
}

/** The first value of another JSON type than its field's; undefined when there is none. */
export function wrongType(value: Json | undefined, schema: Schema, path = ''): string | undefined {
  if (value === undefined || value === null || schema.type === 'untyped') return undefined;
  const isList = schema.type === 'list' || schema.type === 'set' || schema.type === 'keyed';
  const fits = isList
    ? Array.isArray(value)
    : schema.type === 'object' || schema.type === 'map'
      ? isObject(value)
      : schema.type === 'integer'
        ? Number.isInteger(value)
        : typeof value === schema.type;
  if (!fits)
    return `${path || '.'}: expected ${schema.type === 'map' ? 'object' : isList ? 'list' : schema.type}`;
  if (Array.isArray(value) && 'of' in schema) {
    for (const [at, item] of value.entries()) {
      const wrong = wrongType(item, schema.of, `${path}[${at}]`);
      if (wrong !== undefined) return wrong;
    }
  }
  if (isObject(value))
    for (const [name, inner] of Object.entries(value)) {
      const field = fieldOf(schema, name);
      const wrong = field && wrongType(inner, field, `${path}.${name}`);
      if (wrong !== undefined) return wrong;
    }
  return undefined;
}
