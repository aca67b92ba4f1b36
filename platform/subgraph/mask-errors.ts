import { GraphQLError, type GraphQLFormattedError } from 'graphql';

import { databaseAway, isPassing } from '../database/outage.js';
import { ApiError, isErrorCode } from '../errors.js';
import type { Logger } from '../logger.js';

const hiddenMessage = 'Internal error';

/**
 * What a caller may see of an error met while a subgraph ran an operation. Errors with a code of the closed list
 * pass; what graphql-js says of the request itself (syntax, validation, variables) is BAD_REQUEST; anything else is
 * INTERNAL, with its words in the log only. Pass a logger that already carries the request id.
 */
export function maskError(error: GraphQLError, log: Logger): GraphQLFormattedError {
  const { path } = error;
  const cause = rootCause(error);
  if (isErrorCode(error.extensions.code)) {
    if (cause instanceof ApiError && cause.code === 'UNAUTHENTICATED') {
      // Anybody can send anything for a token: that is no news, and what was sent is not for the log.
      log.debug({ reason: cause.extensions.reason, path }, 'a caller was refused');
    } else if (cause instanceof ApiError && cause.cause !== undefined) {
      log.warn({ err: cause.cause, code: cause.code, path }, cause.message);
    }
    return error.toJSON();
  }
  if (speaksOfRequest(error)) {
    return { ...error.toJSON(), extensions: { code: 'BAD_REQUEST' } };
  }
  if (isPassing(cause)) {
    log.warn({ err: cause, path }, 'The database is away');
    const { message, extensions } = databaseAway(cause);
    return { message, ...(path ? { path } : {}), extensions: { ...extensions } };
  }
  log.error({ err: cause, path }, 'An operation failed unexpectedly');
  return { message: hiddenMessage, ...(path ? { path } : {}), extensions: { code: 'INTERNAL' } };
}

/** Wraps whatever was thrown, so that one place decides what of it is shown. */
export function toGraphQLError(thrown: unknown): GraphQLError {
  if (thrown instanceof GraphQLError) return thrown;
  const originalError = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new GraphQLError(originalError.message, { originalError });
}

/** graphql-js gives no path to what it finds before execution, but says where in the document it is. */
function speaksOfRequest(error: GraphQLError): boolean {
  return error.path === undefined && (error.nodes !== undefined || error.locations !== undefined);
}

function rootCause(error: GraphQLError): unknown {
  let cause: Error = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}
