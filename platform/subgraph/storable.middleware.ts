import type { MiddlewareFn } from 'type-graphql';

import { describeFault, findDataFault } from '../client-data.js';
import { ApiError } from '../errors.js';
import { faultOfMended } from '../mended-text.js';

/**
 * Refuses text that no statement can carry, and nesting that nobody can walk, in any argument of a root field, JSON
 * scalars included. Of a field marked `@Extensions({ mendsText: true })` such text is mended instead: what nodes report
 * counts all the same.
 */
export function checkArguments(args: Record<string, unknown>, mendsText: boolean): void {
  const fault = mendsText ? faultOfMended(args, { fields: true }) : findDataFault(args, { fields: true });
  if (fault) throw new ApiError('BAD_REQUEST', describeFault(fault, 'the arguments'));
}

/** For subscriptions, whose resolvers are type-graphql's. */
export const refuseUnstorable: MiddlewareFn = async ({ info, args }, next) => {
  if (info.path.prev === undefined) checkArguments(args, false);
  return next();
};
