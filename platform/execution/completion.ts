import {
  GraphQLError,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  locatedError,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLList,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type ResponsePath,
} from 'graphql';
import { inspect } from 'graphql/jsutils/inspect.js';

import { checkedType, runtimeType, type Place } from './abstract.js';
import { fitFor, serialize } from './leaf.js';
import { ignoreRejections, isPromise } from './promises.js';
import { pathAsArray, type Run } from './run.js';

/**
 * Makes of a value that a resolver gave what the answer shows, or a promise of it. Throws what is wrong with it. Of a
 * leaf the path is not read, and `info` only where `needsInfo` says so.
 */
export type Complete = (
  run: Run,
  value: unknown,
  path: ResponsePath | undefined,
  info: GraphQLResolveInfo | undefined,
) => unknown;

/** Executes the fields of an object. */
export type Select = (run: Run, source: unknown, path: ResponsePath | undefined) => unknown;

/** A field of a document, as completing its values needs it. */
export interface FieldPlace extends Place {
  /** The fields that are selected of an object of the type. Throws where a condition can not be read. */
  select: (type: GraphQLObjectType) => Select;
}

/** Whether completing a value of the type asks resolvers of types, which are told where they are. */
export function needsInfo(type: GraphQLOutputType): boolean {
  if (isListType(type) || isNonNullType(type)) return needsInfo(type.ofType);
  return isAbstractType(type) || (!isLeafType(type) && type.isTypeOf !== undefined && type.isTypeOf !== null);
}

export function completionOf(type: GraphQLOutputType, place: FieldPlace): Complete {
  if (!isNonNullType(type)) return nullableOf(type, place);
  const complete = nullableOf(type.ofType, place);
  return (run, value, path, info) => {
    const completed = complete(run, value, path, info);
    if (completed === null) {
      throw new Error(`Cannot return null for non-nullable field ${place.coordinate}.`);
    }
    return completed;
  };
}

function nullableOf(type: GraphQLOutputType, place: FieldPlace): Complete {
  const complete = presentOf(type, place);
  return (run, value, path, info) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    return complete(run, value, path, info);
  };
}

function presentOf(type: GraphQLOutputType, place: FieldPlace): Complete {
  if (isListType(type)) return listOf(type, place);
  if (isLeafType(type)) return leafOf(type);
  if (isAbstractType(type)) return abstractOf(type, place);
  return objectOf(type as GraphQLObjectType, place);
}

function leafOf(type: GraphQLLeafType): Complete {
  const isFit = fitFor(type);
  return (_run, value) => (isFit(value) ? value : serialize(type, value));
}

function objectOf(type: GraphQLObjectType, place: FieldPlace): Complete {
  let known: Select | undefined;
  return (run, value, path, info) => {
    const select = (known ??= place.select(type));
    if (!type.isTypeOf) return select(run, value, path);
    const isOfType: unknown = type.isTypeOf(value, run.context, info!);
    if (isPromise(isOfType)) {
      return isOfType.then((is) => {
        if (!is) throw notOfType(type, value, place);
        return select(run, value, path);
      });
    }
    if (!isOfType) throw notOfType(type, value, place);
    return select(run, value, path);
  };
}

function notOfType(type: GraphQLObjectType, value: unknown, { nodes }: Place): GraphQLError {
  return new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, { nodes });
}

function abstractOf(type: GraphQLAbstractType, place: FieldPlace): Complete {
  const completions = new Map<GraphQLObjectType, Complete>();
  const completionFor = (found: GraphQLObjectType): Complete => {
    let complete = completions.get(found);
    if (!complete) completions.set(found, (complete = objectOf(found, place)));
    return complete;
  };
  return (run, value, path, info) => {
    const found = runtimeType(run, type, value, info!, place);
    if (!isPromise(found)) return completionFor(found)(run, value, path, info);
    return found.then((name) =>
      completionFor(checkedType(run, type, name, value, place))(run, value, path, info),
    );
  };
}

function listOf(type: GraphQLList<GraphQLOutputType>, place: FieldPlace): Complete {
  const itemType = type.ofType;
  const complete = completionOf(itemType, place);
  const isNullable = !isNonNullType(itemType);
  const fail = (run: Run, thrown: unknown, path: ResponsePath): null => {
    const error = locatedError(thrown, place.nodes, pathAsArray(path));
    if (!isNullable) throw error;
    run.add(error, path);
    return null;
  };
  return (run, value, above, info) => {
    if (typeof value !== 'object' || !isIterable(value)) {
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${place.coordinate}".`);
    }
    const items: unknown[] = [];
    let hasPromises = false;
    try {
      for (const item of value) {
        const path: ResponsePath = { prev: above, key: items.length, typename: undefined };
        let completed: unknown;
        try {
          completed = isPromise(item)
            ? item.then((resolved) => complete(run, resolved, path, info))
            : complete(run, item, path, info);
          if (isPromise(completed)) {
            hasPromises = true;
            completed = completed.then(undefined, (thrown: unknown) => fail(run, thrown, path));
          }
        } catch (thrown) {
          completed = fail(run, thrown, path);
        }
        items.push(completed);
      }
    } catch (error) {
      // graphql-js leaves them alone, and a rejection that nobody handles ends the process.
      if (hasPromises) ignoreRejections(items);
      throw error;
    }
    return hasPromises ? Promise.all(items) : items;
  };
}

function isIterable(value: object | null): value is Iterable<unknown> {
  return typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function';
}
