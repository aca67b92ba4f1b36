import { setTimeout as sleep } from 'node:timers/promises';

import express from 'express';

import type { MissingSteps } from '#platform/database/missing-steps.js';
import { isPassing } from '#platform/database/outage.js';
import { waits } from '#platform/database/patience.js';
import { ApiError, OperatorError } from '#platform/errors.js';
import { createHealthRouter } from '#platform/health.js';
import { createHttpServer } from '#platform/http-server.js';
import type { Logger } from '#platform/logger.js';

import { inWords, type Look, type WhenBehind } from './behind.js';
import type { PanelEnv } from './env.js';
import { refuse } from './http.js';
import { listen } from './listen.js';

const lookEveryMs = 1_000;

interface WaitOptions {
  env: Pick<PanelEnv, 'PORT' | 'HOST'>;
  logger: Logger;
  /** Aborted when the process is told to end. */
  stopped?: AbortSignal | undefined;
}

/**
 * For processes that serve: whoever migrates may have begun later, or take its time, so that it goes on as soon as the
 * database is there. Meanwhile it listens, alive and not ready, and says what is missing. It ends after ten minutes.
 */
export function waitWhenBehind({ env, logger, stopped }: WaitOptions): WhenBehind {
  return async (look) => {
    let missing = await look();
    if (missing.length === 0) return;
    let problem = inWords(missing);
    logger.warn({ missing }, problem);
    const server = createHttpServer(waitingApp(() => problem));
    await listen(server, env);
    try {
      const end = performance.now() + waits.migration;
      while (missing.length > 0) {
        if (performance.now() > end) throw new OperatorError(inWords(missing));
        await sleep(lookEveryMs, undefined, { signal: stopped });
        missing = await lookAgain(look, missing);
        problem = inWords(missing);
      }
    } finally {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    }
    logger.info('the database has all that this version needs');
  };
}

/** While the database is away it is believed to be as it was. */
async function lookAgain(look: Look, before: readonly MissingSteps[]): Promise<readonly MissingSteps[]> {
  try {
    return await look();
  } catch (error) {
    if (!isPassing(error)) throw error;
    return before;
  }
}

function waitingApp(problem: () => string) {
  const app = express();
  app.disable('x-powered-by');
  app.use(createHealthRouter({ problems: async () => [problem()] }));
  app.use((_request, response) =>
    refuse(response, new ApiError('UNAVAILABLE', 'The panel is being upgraded', { retryAfterSeconds: 5 })),
  );
  return app;
}
