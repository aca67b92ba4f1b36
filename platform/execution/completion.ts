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
import { completeLater, failLater, type Complete, type Fail } from './later.js';
import { fitFor, isFit, serialize } from './leaf.js';
import { ignoreRejections, isPromise } from './promises.js';
import { pathAsArray, type Run } from './run.js';

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
  const isNullable = !isNonNullType(type);
  const present = isNullable ? type : type.ofType;
  if (isLeafType(present)) return leafOf(present, isNullable, place);
  const complete = presentOf(present, place);
  if (isNullable) {
    return (run, value, path, info) => {
      if (value === null || value === undefined) return null;
      if (value instanceof Error) throw value;
      return complete(run, value, path, info);
    };
  }
  return (run, value, path, info) => {
    if (value === null || value === undefined) throw nullFault(place);
    if (value instanceof Error) throw value;
    return complete(run, value, path, info);
  };
}

function nullFault({ coordinate }: Place): Error {
  return new Error(`Cannot return null for non-nullable field ${coordinate}.`);
}

function presentOf(type: Exclude<GraphQLOutputType, GraphQLLeafType>, place: FieldPlace): Complete {
  if (isListType(type)) return listOf(type, place);
  return isAbstractType(type) ? abstractOf(type, place) : objectOf(type as GraphQLObjectType, place);
}

function leafOf(type: GraphQLLeafType, isNullable: boolean, place: Place): Complete {
  const fit = fitFor(type);
  return (_run, value) => {
    if (isFit(value, fit)) return value;
    if (value === null || value === undefined) {
      if (isNullable) return null;
      throw nullFault(place);
    }
    if (value instanceof Error) throw value;
    return serialize(type, value);
  };
}

function objectOf(type: GraphQLObjectType, place: FieldPlace): Complete {
  let known: Select | undefined;
  const checked: Complete = (run, value, path, info) => {
    const select = (known ??= place.select(type));
    const isOfType: unknown = type.isTypeOf!(value, run.context, info!);
    if (isPromise(isOfType)) {
      return isOfType.then((is) => {
        if (!is) throw notOfType(type, value, place);
        return select(run, value, path);
      });
    }
    if (!isOfType) throw notOfType(type, value, place);
    return select(run, value, path);
  };
  if (type.isTypeOf) return checked;
  return (run, value, path) => (known ??= place.select(type))(run, value, path);
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
  const fail: Fail = (run, thrown, path) => {
    const error = locatedError(thrown, place.nodes, pathAsArray(path));
    if (isNonNullType(itemType)) throw error;
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
        const completed = itemOf(run, item, { prev: above, key: items.length, typename: undefined }, info);
        if (isPromise(completed)) hasPromises = true;
        items.push(completed);
      }
    } catch (error) {
      // graphql-js leaves them alone, and a rejection that nobody handles ends the process.
      if (hasPromises) ignoreRejections(items);
      throw error;
    }
    return hasPromises ? Promise.all(items) : items;
  };

  function itemOf(
    run: Run,
    item: unknown,
    path: ResponsePath,
    info: GraphQLResolveInfo | undefined,
  ): unknown {
    try {
      const completed = isPromise(item)
        ? completeLater(complete, run, item, path, info)
        : complete(run, item, path, info);
      return isPromise(completed) ? failLater(fail, run, completed, path) : completed;
    } catch (thrown) {
      return fail(run, thrown, path);
    }
  }
}

function isIterable(value: object | null): value is Iterable<unknown> {
  return typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function';
}
