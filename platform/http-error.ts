import type { ErrorRequestHandler } from 'express';

import { isPassing } from './database/outage.js';
import type { Logger } from './logger.js';

const retryAfterSeconds = 5;

/**
 * The last word of every Express application of the panel: JSON, never Express's own page with its stack. To be mounted
 * after everything else, and must not itself depend on anything.
 */
export function answerError(logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const isAway = isPassing(error);
    const status = isAway ? 503 : statusOf(error);
    if (status >= 500 && !isAway) {
      const { requestContext } = response.locals as { requestContext?: { requestId: string } };
      logger.error({ err: error, requestId: requestContext?.requestId }, 'A request failed');
    }
    // Of an answer that has begun only a broken connection tells that it is not whole.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (isAway) response.setHeader('Retry-After', retryAfterSeconds);
    response.status(status).json({ error: sentenceOf(status) });
  };
}

function sentenceOf(status: number): string {
  if (status === 503) return 'The panel cannot reach its database just now';
  return status >= 500 ? 'Something went wrong on our side' : 'Bad request';
}

/** Express's own refusals (a broken percent-encoding, say) carry a status; everything else is ours to mend. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 600 ? status : 500;
}
