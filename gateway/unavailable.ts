import type { FormattedExecutionResult } from 'graphql';

import { outcomeUnknown } from '#platform/errors.js';
import { noTurn } from '#platform/membership/turns.js';

/** The answer of a subgraph that gave none. Nothing of where it is or why it failed is shown. */
export function unavailable(): FormattedExecutionResult {
  return {
    data: null,
    errors: [
      {
        message: 'A part of the service is not available for the moment',
        extensions: { code: 'UNAVAILABLE', retryAfterSeconds: 2 },
      },
    ],
  };
}

/** The same for a mutation that it may have done. */
export function mayBeDone(): FormattedExecutionResult {
  const { message, extensions } = outcomeUnknown();
  return { data: null, errors: [{ message, extensions: { ...extensions } }] };
}

/** Of an error: who was asked says that nothing was done. */
export const nothingDone = 'NOTHING_DONE';

// Before anything was sent; and 503, by which a subgraph or a proxy says that nothing was done.
const undone: ReadonlySet<unknown> = new Set([
  nothingDone,
  noTurn,
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether a call that failed so was never heard. */
export function isUndone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && undone.has(error.code);
}
