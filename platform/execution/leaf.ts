import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLString,
  type GraphQLLeafType,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';

/** Whether a value is its own serialization, so that there is nothing to do about it. */
export type IsFit = (value: unknown) => boolean;

const isText: IsFit = (value) => typeof value === 'string';

const fits: ReadonlyMap<GraphQLLeafType, IsFit> = new Map<GraphQLLeafType, IsFit>([
  [GraphQLString, isText],
  [GraphQLID, isText],
  [GraphQLBoolean, (value) => typeof value === 'boolean'],
  [GraphQLFloat, (value) => Number.isFinite(value)],
  // Zeros of either sign are told apart by nobody who reads the answer.
  [GraphQLInt, (value) => typeof value === 'number' && (value | 0) === value],
]);

const never: IsFit = () => false;

export function fitFor(type: GraphQLLeafType): IsFit {
  return fits.get(type) ?? never;
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
