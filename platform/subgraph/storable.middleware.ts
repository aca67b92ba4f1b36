import type { MiddlewareFn } from 'type-graphql';

import { describeFault, findDataFault } from '../client-data.js';
import { ApiError } from '../errors.js';

/**
 * Refuses text that no statement can carry, and nesting that nobody can walk, in any argument of a root field, JSON
 * scalars included.
 */
export const refuseUnstorable: MiddlewareFn = async ({ info, args }, next) => {
  const fault = info.path.prev === undefined ? findDataFault(args, { fields: true }) : undefined;
  if (fault) throw new ApiError('BAD_REQUEST', describeFault(fault, 'the arguments'));
  return next();
};
