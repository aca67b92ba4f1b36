import { print, type DocumentNode, type ExecutionResult } from 'graphql';

import type { RunOperation } from '#platform/auth/service-client.js';
import { ApiError } from '#platform/errors.js';
import { traceHeaders } from '#platform/telemetry/tracing.js';

// Longer than a gateway takes for anything that it answers at all.
const deadlineMs = 20_000;
const texts = new WeakMap<DocumentNode, string>();

/** Runs operations at a gateway at another address, for subgraphs of split mode. UNAVAILABLE when it cannot be reached. */
export function runAtGateway(url: () => string): RunOperation {
  return async ({ document, variables, context }) => {
    let query = texts.get(document);
    if (query === undefined) texts.set(document, (query = print(document)));
    try {
      const response = await fetch(`${url()}/graphql`, {
        method: 'POST',
        redirect: 'error',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'x-request-id': context.requestId,
          ...traceHeaders(),
          ...(context.authorization === undefined ? {} : { authorization: context.authorization }),
          ...(context.idempotencyKey === undefined ? {} : { 'idempotency-key': context.idempotencyKey }),
        },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(deadlineMs),
      });
      return (await response.json()) as ExecutionResult;
    } catch (cause) {
      throw new ApiError('UNAVAILABLE', 'The gateway cannot be reached', { retryAfterSeconds: 5, cause });
    }
  };
}
