import {
  getNamedType,
  getNullableType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';

import { isPromise } from '../execution/promises.js';
import { propertyOf, readsProperty } from '../execution/property.js';

/** An object that was left out of a list: what of it has which word. */
export interface LeftOut {
  type: string;
  field: string;
  word: string;
}

/** Finds the first word of an object that none of its enums has. */
type FindUnknown = (item: Readonly<Record<string, unknown>>) => LeftOut | undefined;

/**
 * A later version at work on the same database may write words that enums of this one do not have. What has one is left
 * out of lists, which would be nothing but an error for it. By itself it is an error as ever.
 */
export function leaveOutUnknown(
  schema: GraphQLSchema,
  tell: (leftOut: LeftOut, context: never) => void,
): GraphQLSchema {
  const told = new Set<string>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const findUnknown = unknownIn(field.type);
      if (!findUnknown) continue;
      const { resolve = readsProperty(field.name) } = field;
      const known = (list: unknown, context: unknown): unknown => {
        if (!Array.isArray(list) || !list.some((item) => isObject(item) && findUnknown(item))) return list;
        return list.filter((item) => {
          const leftOut = isObject(item) ? findUnknown(item) : undefined;
          const key = leftOut && `${leftOut.type} ${leftOut.field} ${leftOut.word}`;
          if (key !== undefined && !told.has(key)) tell(leftOut!, context as never);
          if (key !== undefined) told.add(key);
          return !leftOut;
        });
      };
      field.resolve = (source, args, context: unknown, info) => {
        const found: unknown = resolve(source, args, context, info);
        return isPromise(found) ? found.then((list) => known(list, context)) : known(found, context);
      };
    }
  }
  return schema;
}

const isObject = (item: unknown): item is Record<string, unknown> =>
  typeof item === 'object' && item !== null;

/** Of a list whose items may not be null; undefined where they have no enum among their properties. */
function unknownIn(type: GraphQLOutputType): FindUnknown | undefined {
  const list = getNullableType(type);
  if (!isListType(list) || !isNonNullType(list.ofType)) return undefined;
  const item = list.ofType.ofType;
  return isObjectType(item) ? unknownOf(item) : undefined;
}

function unknownOf(item: GraphQLObjectType): FindUnknown | undefined {
  const enums = Object.values(item.getFields()).flatMap((field) => {
    const type = getNamedType(field.type);
    const property = field.resolve ? propertyOf(field.resolve) : field.name;
    if (!isEnumType(type) || property === undefined) return [];
    return [
      {
        field: field.name,
        property,
        words: new Set<unknown>(type.getValues().map(({ value }) => value as unknown)),
      },
    ];
  });
  if (enums.length === 0) return undefined;
  return (row) => {
    for (const { field, property, words } of enums) {
      const value = row[property];
      for (const word of Array.isArray(value) ? (value as unknown[]) : [value])
        if (typeof word === 'string' && !words.has(word)) return { type: item.name, field, word };
    }
    return undefined;
  };
}
