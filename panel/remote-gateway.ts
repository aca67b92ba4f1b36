import { print, type ExecutionResult } from 'graphql';

import type { RunOperation } from '#platform/auth/service-client.js';
import { ApiError } from '#platform/errors.js';

/** Longer than a gateway takes for anything it answers at all. */
const timeoutMs = 20_000;

/** The door of a gateway in another process. */
export function remoteGateway(url: () => string): RunOperation {
  return async ({ document, variables, context }) => {
    try {
      const answer = await fetch(`${url()}/graphql`, {
        method: 'POST',
        redirect: 'error',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json, application/json',
          'x-request-id': context.requestId,
          ...(context.authorization === undefined ? {} : { authorization: context.authorization }),
          ...(context.idempotencyKey === undefined ? {} : { 'idempotency-key': context.idempotencyKey }),
        },
        body: JSON.stringify({ query: print(document), variables }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return (await answer.json()) as ExecutionResult;
    } catch (cause) {
      throw new ApiError('UNAVAILABLE', 'The gateway can not be reached', { retryAfterSeconds: 5, cause });
    }
  };
}
