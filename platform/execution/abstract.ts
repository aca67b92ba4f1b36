import {
  defaultTypeResolver,
  GraphQLError,
  isObjectType,
  type FieldNode,
  type GraphQLAbstractType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';

import { isPromise } from './promises.js';
import type { Run } from './run.js';

/** Where in a schema and a document a value stands, for the words of errors. */
export interface Place {
  /** `Type.field`. */
  coordinate: string;
  nodes: readonly FieldNode[];
}

/** The type of an object that is only known when it is there; throws, or rejects, as graphql-js does. */
export function runtimeType(
  run: Run,
  type: GraphQLAbstractType,
  value: unknown,
  info: GraphQLResolveInfo,
  place: Place,
): GraphQLObjectType | PromiseLike<unknown> {
  const resolve = type.resolveType ?? defaultTypeResolver;
  const name: unknown = resolve(value, run.context, info, type);
  return isPromise(name) ? name : checkedType(run, type, name, value, place);
}

/** The object type of a name that a type resolver gave. */
export function checkedType(
  { definition: { schema } }: Run,
  type: GraphQLAbstractType,
  name: unknown,
  value: unknown,
  { coordinate, nodes }: Place,
): GraphQLObjectType {
  if (name === null || name === undefined) {
    throw new GraphQLError(
      `Abstract type "${type.name}" must resolve to an Object type at runtime for field "${coordinate}". Either the "${type.name}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`,
      { nodes },
    );
  }
  if (isObjectType(name)) {
    throw new GraphQLError(
      'Support for returning GraphQLObjectType from resolveType was removed in graphql-js@16.0.0 please return type name instead.',
    );
  }
  if (typeof name !== 'string') {
    throw new GraphQLError(
      `Abstract type "${type.name}" must resolve to an Object type at runtime for field "${coordinate}" with value ${inspect(value)}, received "${inspect(name)}".`,
    );
  }
  const found = schema.getType(name);
  if (!found) {
    throw new GraphQLError(
      `Abstract type "${type.name}" was resolved to a type "${name}" that does not exist inside the schema.`,
      { nodes },
    );
  }
  if (!isObjectType(found)) {
    throw new GraphQLError(`Abstract type "${type.name}" was resolved to a non-object type "${name}".`, {
      nodes,
    });
  }
  if (!schema.isSubType(type, found)) {
    throw new GraphQLError(`Runtime Object type "${found.name}" is not a possible type for "${type.name}".`, {
      nodes,
    });
  }
  return found;
}
