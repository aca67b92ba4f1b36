import type { ErrorRequestHandler } from 'express';

import { databaseAway, isPassing } from './database/outage.js';
import { isOutcomeUnknown } from './errors.js';
import type { Logger } from './logger.js';

/**
 * The last word of every Express application of the panel: JSON, never Express's own page with its stack. To be mounted
 * after everything else, and must not itself depend on anything.
 */
export function answerError(logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const away = isPassing(error) ? databaseAway(error) : undefined;
    if (away === undefined && statusOf(error) >= 500) {
      const { requestContext } = response.locals as { requestContext?: { requestId: string } };
      logger.error({ err: error, requestId: requestContext?.requestId }, 'A request failed');
    }
    // Of an answer that has begun only a broken connection tells that it is not whole.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { retryAfterSeconds } = away?.extensions ?? {};
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', retryAfterSeconds);
    const status = away ? (isOutcomeUnknown(away.extensions) ? 502 : 503) : statusOf(error);
    response.status(status).json({ error: away?.message ?? sentenceOf(status) });
  };
}

function sentenceOf(status: number): string {
  return status >= 500 ? 'Something went wrong on our side' : 'Bad request';
}

/** Express's own refusals (a broken percent-encoding, say) carry a status; everything else is ours to mend. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 600 ? status : 500;
}
