import type { GraphQLResolveInfo, ResponsePath } from 'graphql';

import type { Run } from './run.js';

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

/** Notes what was thrown at a place and answers its null, or throws it on where null may not be. */
export type Fail = (run: Run, thrown: unknown, path: ResponsePath) => null;

export function completeLater(
  complete: Complete,
  run: Run,
  value: PromiseLike<unknown>,
  path: ResponsePath | undefined,
  info: GraphQLResolveInfo | undefined,
): PromiseLike<unknown> {
  return value.then((resolved) => complete(run, resolved, path, info));
}

export function failLater(
  fail: Fail,
  run: Run,
  value: PromiseLike<unknown>,
  path: ResponsePath,
): PromiseLike<unknown> {
  return value.then(undefined, (thrown: unknown) => fail(run, thrown, path));
}
