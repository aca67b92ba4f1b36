import type { GraphQLFieldResolver } from 'graphql';

type Resolver = GraphQLFieldResolver<unknown, unknown>;
type Method = (args: unknown, context: unknown, info: unknown) => unknown;

const names = new WeakMap<Resolver, string>();

/** A resolver of a field that is a property under another name. The engine knows it, and reads the property itself. */
export function readsProperty(name: string): Resolver {
  // As graphql-js resolves a field that has no resolver.
  const resolve: Resolver = (source, args, context, info) => {
    if (!isReadable(source)) return undefined;
    const value = source[name];
    if (typeof value !== 'function') return value;
    return (source as Record<string, Method>)[name]!(args, context, info);
  };
  names.set(resolve, name);
  return resolve;
}

/** The property that the resolver reads, if that is all that it does. */
export function propertyOf(resolve: Resolver): string | undefined {
  return names.get(resolve);
}

/** Whether a value may have properties that fields are. */
export function isReadable(source: unknown): source is Record<string, unknown> {
  return (typeof source === 'object' && source !== null) || typeof source === 'function';
}
