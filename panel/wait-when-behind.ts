import type { Server } from 'node:http';
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
export class Wait {
  private server: Server | undefined;
  private problem = '';

  constructor(private readonly options: WaitOptions) {}

  /** Once it is over the port stays open, or else whoever has found this process alive would take it for dead. */
  readonly whenBehind: WhenBehind = async (look) => {
    const { env, logger, stopped } = this.options;
    let missing = await look();
    if (missing.length === 0) return;
    this.problem = inWords(missing);
    logger.warn({ missing }, this.problem);
    const server = createHttpServer(waitingApp(() => this.problem));
    await listen(server, env);
    this.server = server;
    try {
      const end = performance.now() + waits.migration;
      while (missing.length > 0) {
        if (performance.now() > end) throw new OperatorError(inWords(missing));
        await sleep(lookEveryMs, undefined, { signal: stopped });
        missing = await lookAgain(look, missing);
        this.problem = inWords(missing);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    this.problem = 'the process is starting';
    logger.info('the database has all that this version needs');
  };

  /** What listens meanwhile, if anything does: its port is the taker's from now on. */
  handOver(): Server | undefined {
    const { server } = this;
    this.server = undefined;
    return server;
  }

  /** For a start that fails. */
  async close(): Promise<void> {
    const server = this.handOver();
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
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
  app.use((_request, response, next) => {
    // The next request is for who has the port by then.
    response.shouldKeepAlive = false;
    next();
  });
  app.use(createHealthRouter({ problems: async () => [problem()] }));
  app.use((_request, response) =>
    refuse(response, new ApiError('UNAVAILABLE', 'The panel is being upgraded', { retryAfterSeconds: 5 })),
  );
  return app;
}
