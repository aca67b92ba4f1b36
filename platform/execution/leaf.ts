import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLString,
  type GraphQLLeafType,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';

/** Of which JavaScript types values of a leaf are their own serialization, so that there is nothing to do about them. */
export interface Fit {
  text: boolean;
  boolean: boolean;
  number: 'none' | 'int' | 'finite';
}

const nothing: Fit = { text: false, boolean: false, number: 'none' };

const fits: ReadonlyMap<GraphQLLeafType, Fit> = new Map<GraphQLLeafType, Fit>([
  [GraphQLString, { ...nothing, text: true }],
  [GraphQLID, { ...nothing, text: true }],
  [GraphQLBoolean, { ...nothing, boolean: true }],
  [GraphQLFloat, { ...nothing, number: 'finite' }],
  [GraphQLInt, { ...nothing, number: 'int' }],
]);

export function fitFor(type: GraphQLLeafType): Fit {
  return fits.get(type) ?? nothing;
}

/** One function for all leaves, without calls of others: it runs for each value of an answer. */
export function isFit(value: unknown, fit: Fit): boolean {
  if (typeof value === 'string') return fit.text;
  if (typeof value === 'number') {
    return fit.number === 'int' ? (value | 0) === value : fit.number === 'finite' && Number.isFinite(value);
  }
  return typeof value === 'boolean' && fit.boolean;
}

/** Serializes what is neither null nor an error; throws as graphql-js does. */
export function serialize(type: GraphQLLeafType, value: unknown): unknown {
  const serialized = type.serialize(value) as unknown;
  if (serialized === null || serialized === undefined) {
    throw new Error(
      `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to return non-nullable value, returned: ${inspect(serialized)}`,
    );
  }
  return serialized;
}
