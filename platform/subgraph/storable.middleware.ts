import type { MiddlewareFn } from 'type-graphql';

import { ApiError } from '../errors.js';
import { mendText } from '../mended-text.js';

// NUL and lone surrogates are legal in GraphQL and JSON, but PostgreSQL can store neither.
const unstorable = /[\0\p{Surrogate}]/u;

/**
 * Refuses text that no statement can carry, in any argument of a root field, JSON scalars included. Of a field marked
 * `@Extensions({ mendsText: true })` such text is mended instead: what nodes report counts all the same.
 */
export const refuseUnstorableText: MiddlewareFn = async ({ info, args }, next) => {
  if (info.parentType.getFields()[info.fieldName]?.extensions['mendsText']) mendText(args);
  const path = info.path.prev === undefined ? findUnstorable(args, []) : undefined;
  if (path === undefined) return next();
  throw new ApiError('BAD_REQUEST', `${path.join('.')} must be well-formed text without null characters`);
};

function findUnstorable(value: unknown, path: readonly string[]): readonly string[] | undefined {
  if (typeof value === 'string') return unstorable.test(value) ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = unstorable.test(key) ? path : findUnstorable(inner, [...path, key]);
    if (found) return found;
  }
  return undefined;
}
