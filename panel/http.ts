import express, { type ErrorRequestHandler, type Express, type Response } from 'express';

import type { TrustProxy } from '#gateway/client-address.js';
import type { Gateway } from '#gateway/gateway.js';
import type { Admission } from '#gateway/rate-limit/admission.js';
import { requestContextMiddleware, requestContextOf } from '#gateway/request-context.js';
import type { TokenVerifier } from '#platform/auth/tokens.js';
import { databaseAway, isPassing } from '#platform/database/outage.js';
import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { ExchangeContext } from '#platform/request-context.js';
import { statusOfCode } from '#rest-compat/errors.js';
import { createRestRouter, refuseUnread } from '#rest-compat/router.js';

import type { ServedMetrics } from './metrics.js';

export interface HttpOptions {
  gateway: Gateway;
  admission: Admission;
  metrics: ServedMetrics;
  verifier: TokenVerifier;
  exchange: ExchangeContext;
  logger: Logger;
  trustProxy: TrustProxy;
  /** What keeps the panel from serving; empty when it can. */
  problems: () => Promise<string[]>;
  /** Pages and routes that are not GraphQL, as their subgraphs export them. */
  routers: readonly express.Router[];
}

/** Everything that the panel answers on its one port, but for WebSockets. */
export function createHttpApp(options: HttpOptions): Express {
  const { gateway, verifier, logger, metrics } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requestContextMiddleware(options.trustProxy));
  app.use(metrics.measure);
  app.use((_request, response, next) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    next();
  });

  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.use(metrics.router);
  app.get('/readyz', async (_request, response) => {
    const problems = await options.problems();
    response
      .status(problems.length === 0 ? 200 : 503)
      .json(problems.length === 0 ? { status: 'ready' } : { status: 'not ready', problems });
  });

  app.use(options.admission.middleware(refuse));
  // Its forms take passwords and one-time codes, as the sensitive mutations do.
  app.post('/oauth/authorize', options.admission.guesses(refuse));
  app.use(async (request, response, next) => {
    const context = requestContextOf(response);
    const { authorization } = await options.exchange(context);
    // For this process's routers, and for those behind a proxy.
    if (authorization !== undefined) Object.assign(context, { authorization });
    if (authorization !== undefined) request.headers.authorization = authorization;
    next();
  });
  app.use(gateway.router);
  app.use(
    createRestRouter({
      schema: gateway.schema,
      logger,
      execute: (operation) => gateway.execute(operation),
      authenticate: async ({ authorization }) => {
        await verifier.verify(authorization ?? '');
      },
    }),
  );
  for (const router of options.routers) app.use(router);

  app.use((_request, response) => void response.status(404).json({ error: 'Not found' }));
  const onError: ErrorRequestHandler = (thrown, _request, response, next) => {
    const error: unknown = isPassing(thrown) ? databaseAway(thrown) : thrown;
    if (error instanceof ApiError && !response.headersSent) return refuse(response, error);
    const status = statusOf(error);
    if (status >= 500)
      logger.error({ err: error, requestId: requestContextOf(response).requestId }, 'request failed');
    if (response.headersSent) return next(error);
    response
      .status(status)
      .json({ error: status >= 500 ? 'Something went wrong on our side' : 'Bad request' });
  };
  app.use(onError);
  return app;
}

/** Refuses before anything is read, in the form of what was asked for. */
function refuse(response: Response, error: ApiError): void {
  const { code, message, extensions } = error;
  if (response.req.path !== '/graphql') return refuseUnread(response, error);
  response
    .status(statusOfCode[code])
    .setHeader('Retry-After', extensions.retryAfterSeconds ?? 1)
    .json({ errors: [{ message, extensions }] });
}

/** Express's own refusals (a broken percent-encoding, say) carry a status; everything else is ours to mend. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 600 ? status : 500;
}
