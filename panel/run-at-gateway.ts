import { print, type DocumentNode, type ExecutionResult } from 'graphql';

import { isUndone, nothingDone } from '#gateway/unavailable.js';
import type { RunOperation } from '#platform/auth/service-client.js';
import { ApiError, outcomeUnknown } from '#platform/errors.js';
import { traceHeaders } from '#platform/telemetry/tracing.js';

// Longer than a gateway takes for anything that it answers at all.
const deadlineMs = 20_000;
const texts = new WeakMap<DocumentNode, string>();

/**
 * Runs operations at a gateway at another address, for subgraphs of split mode. UNAVAILABLE when it cannot be reached;
 * with OUTCOME_UNKNOWN of a mutation that may have been done.
 */
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
      const answer = (await response.json()) as ExecutionResult;
      if (answer.data !== undefined || answer.errors !== undefined) return answer;
      // A proxy in front of it has words of its own.
      const refused = new Error(`the answer was no result, with status ${response.status}`);
      throw response.status === 503 ? Object.assign(refused, { code: nothingDone }) : refused;
    } catch (cause) {
      const why = cause instanceof TypeError ? cause.cause : cause;
      if (query.startsWith('mutation') && !isUndone(why)) throw outcomeUnknown(cause);
      throw new ApiError('UNAVAILABLE', 'The gateway cannot be reached', { retryAfterSeconds: 5, cause });
    }
  };
}
