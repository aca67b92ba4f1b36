import type { FormattedExecutionResult } from 'graphql';

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
