import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import express from 'express';

import { isPassing } from '#platform/database/outage.js';
import { waits } from '#platform/database/patience.js';
import { ApiError, OperatorError } from '#platform/errors.js';
import { createHealthRouter } from '#platform/health.js';
import { createHttpServer } from '#platform/http-server.js';
import type { Logger } from '#platform/logger.js';

import type { Look, WhenBehind } from './behind.js';
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
 * For processes that serve: the database may be started after them or fail over, and whoever migrates take its time, so that
 * they go on as soon as it is there. Meanwhile one listens, alive and not ready, and says what is missing. It ends after ten
 * minutes.
 */
export class Wait {
  private server: Server | undefined;
  private problem = '';

  constructor(private readonly options: WaitOptions) {}

  /** Once it is over the port stays open, or else whoever has found this process alive would take it for dead. */
  readonly whenBehind: WhenBehind = async (look) => {
    const { logger, stopped } = this.options;
    let problem = await look();
    if (problem === undefined) return;
    logger.warn(problem);
    this.problem = problem;
    await this.listen();
    try {
      const end = performance.now() + waits.migration;
      while (problem !== undefined) {
        if (performance.now() > end) throw new OperatorError(problem);
        await sleep(lookEveryMs, undefined, { signal: stopped });
        problem = await lookAgain(look, problem);
        if (problem !== undefined && problem !== this.problem) logger.warn(problem);
        this.problem = problem ?? this.problem;
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    this.problem = 'the process is starting';
    logger.info('the database has all that this version needs');
  };

  private async listen(): Promise<void> {
    if (this.server) return;
    const server = createHttpServer(waitingApp(() => this.problem));
    await listen(server, this.options.env);
    this.server = server;
  }

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
async function lookAgain(look: Look, before: string): Promise<string | undefined> {
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
    refuse(
      response,
      new ApiError('UNAVAILABLE', 'The panel waits for its database', { retryAfterSeconds: 5 }),
    ),
  );
  return app;
}
