import {
  isInputObjectType,
  isListType,
  isNonNullType,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
} from 'graphql';

/** Stands for what graphql-js would find something wrong with. It has the words for that, and is asked for them. */
export const unfit = Symbol('unfit');

/** Makes of a value that a client gave the one that resolvers are given, as graphql-js does, or `unfit`. */
export type Coerce = (value: unknown) => unknown;

// Types may contain themselves: what they are made of is compiled when it is first met.
const compiled = new WeakMap<GraphQLInputObjectType, Coerce>();

export function coercionOf(type: GraphQLInputType): Coerce {
  const isNullable = !isNonNullType(type);
  const coerce = presentOf(isNullable ? type : type.ofType);
  const absent = isNullable ? null : unfit;
  return (value) => (value === null || value === undefined ? absent : coerce(value));
}

function presentOf(type: GraphQLInputType): Coerce {
  if (isNonNullType(type)) return coercionOf(type);
  if (isListType(type)) return listOf(coercionOf(type.ofType as GraphQLInputType));
  return isInputObjectType(type) ? objectOf(type) : leafOf(type);
}

function leafOf(type: GraphQLLeafType): Coerce {
  return (value) => {
    try {
      const parsed = type.parseValue(value) as unknown;
      return parsed === undefined ? unfit : parsed;
    } catch {
      return unfit;
    }
  };
}

function listOf(coerce: Coerce): Coerce {
  return (value) => {
    const items: unknown[] = [];
    for (const item of isIterableObject(value) ? value : [value]) {
      const coerced = coerce(item);
      // An error is dear to make: of a long list of what is wrong only the first is made.
      if (coerced === unfit) return unfit;
      items.push(coerced);
    }
    return items;
  };
}

function isIterableObject(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
  );
}

interface InputField {
  name: string;
  coerce: Coerce;
  /** What stands for it where it is not given; `unfit` where it has to be. */
  absent: unknown;
}

function objectOf(type: GraphQLInputObjectType): Coerce {
  const known = compiled.get(type);
  if (known) return known;
  let fields: InputField[] | undefined;
  let names: ReadonlySet<string>;
  const coerce: Coerce = (value) => {
    if (!fields) {
      fields = fieldsOf(type);
      names = new Set(fields.map(({ name }) => name));
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return unfit;
    for (const key of Object.keys(value)) if (!names.has(key)) return unfit;
    const input = coerceFields(fields, value as Record<string, unknown>);
    return input !== undefined && (!type.isOneOf || isOne(input)) ? input : unfit;
  };
  compiled.set(type, coerce);
  return coerce;
}

function fieldsOf(type: GraphQLInputObjectType): InputField[] {
  return Object.values(type.getFields()).map(({ name, type: of, defaultValue }) => ({
    name,
    coerce: coercionOf(of),
    absent: defaultValue === undefined && isNonNullType(of) ? unfit : defaultValue,
  }));
}

function coerceFields(
  fields: readonly InputField[],
  given: Record<string, unknown>,
): Record<string, unknown> | undefined {
  const input: Record<string, unknown> = {};
  for (const { name, coerce, absent } of fields) {
    const value = given[name];
    const coerced = value === undefined ? absent : coerce(value);
    if (coerced === unfit) return undefined;
    if (value !== undefined || coerced !== undefined) input[name] = coerced;
  }
  return input;
}

function isOne(input: Record<string, unknown>): boolean {
  const values = Object.values(input);
  return values.length === 1 && values[0] !== null;
}
