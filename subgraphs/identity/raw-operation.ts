import type { Request, Response } from 'express';

import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { ApiError, type ErrorCode } from '#platform/errors.js';
import type { RequestContext } from '#platform/request-context.js';
import { identify } from '#platform/subgraph/build.js';
import { Operation } from '#platform/subgraph/operation.js';

import { identityPermissions, type IdentityPermission } from './permissions.js';

/** The operation of whoever sent a request to a route that is not GraphQL. */
export type OperationFor = (request: Request, response: Response) => Promise<Operation>;

export function rawOperations(options: {
  database: Database;
  clock: Clock;
  verifier: TokenVerifier;
}): OperationFor {
  const { verifier } = options;
  return async (request, response) => {
    const context = contextOf(response);
    return new Operation({
      request: context,
      database: options.database,
      clock: options.clock,
      permissions: identityPermissions,
      isSuspended: (tenantId) => verifier.isSuspended(tenantId),
      ...(await identify(verifier, context)),
    });
  };
}

/** As the process made it from what it may believe of the request. */
function contextOf(response: Response): RequestContext {
  const known = response.locals['requestContext'] as RequestContext | undefined;
  if (!known) throw new Error('a request context is made before any router is asked');
  return known;
}

const statuses: Partial<Record<ErrorCode, number>> = { UNAUTHENTICATED: 401, FORBIDDEN: 403 };

/** Answers 401 or 403 itself, and false, unless the viewer holds the permission, and is a person where it takes one. */
export function requirePermission(
  operation: Operation,
  permission: IdentityPermission,
  response: Response,
  { isForPeople = false } = {},
): boolean {
  try {
    operation.require(permission);
    if (isForPeople) operation.requireUser();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    response.status(statuses[error.code] ?? 500).json({ error: error.message });
    return false;
  }
}
