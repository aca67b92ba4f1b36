import express, { type ErrorRequestHandler, type RequestHandler, type Response } from 'express';

import type { TrustProxy } from '#gateway/client-address.js';
import type { Gateway } from '#gateway/gateway.js';
import type { Origins } from '#gateway/origins.js';
import type { Admission } from '#gateway/rate-limit/admission.js';
import { requestContextMiddleware, requestContextOf } from '#gateway/request-context.js';
import type { TokenVerifier } from '#platform/auth/tokens.js';
import { databaseAway, isPassing } from '#platform/database/outage.js';
import { ApiError, isOutcomeUnknown } from '#platform/errors.js';
import { createHealthRouter, type Health } from '#platform/health.js';
import { answerError } from '#platform/http-error.js';
import type { FindBrokenRules } from '#platform/input-rules.js';
import type { Logger } from '#platform/logger.js';
import type { ExchangeContext } from '#platform/request-context.js';
import { traceRequests } from '#platform/telemetry/trace-requests.js';
import { statusOf } from '#rest-compat/errors.js';
import { createDescriptionRouter } from '#rest-compat/openapi/router.js';
import { createRestRouter, refuseUnread } from '#rest-compat/router.js';

import { withApi, type HttpApp } from './api-listener.js';
import { createAssetsRouter, createConsoleRouter } from './console/pages.router.js';
import { createSessionRouter, renewals } from './console/session.router.js';
import { measureReadiness, type ServedMetrics } from './metrics.js';
import { showNotFound } from './pages.js';
import { panelVersion } from './version.js';

export interface HttpOptions extends Health {
  gateway: Gateway;
  admission: Admission;
  metrics: ServedMetrics;
  verifier: TokenVerifier;
  exchange: ExchangeContext;
  logger: Logger;
  trustProxy: TrustProxy;
  publicUrl: string;
  brokenRules?: FindBrokenRules | undefined;
  /** Sites besides the panel's own whose pages may call the API. */
  origins?: Origins | undefined;
  /** Pages and routes that are not GraphQL, as their subgraphs export them. */
  routers: readonly express.Router[];
  /** Routes that outside services call in bursts: they refuse strangers themselves, who pay for it by address. */
  webhooks: readonly express.Router[];
}

/** Everything that the panel answers on its one port, but for WebSockets. */
export function createHttpApp(options: HttpOptions): HttpApp {
  const { gateway, verifier, logger, metrics } = options;
  measureReadiness(metrics.metrics, options.problems);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const always: RequestHandler[] = [
    requestContextMiddleware(options.trustProxy),
    metrics.measure,
    (_request, response, next) => {
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'no-referrer');
      next();
    },
  ];
  const trace = traceRequests();
  const origins = options.origins ? [options.origins.router()] : [];
  const admit = options.admission.middleware(refuse);
  const exchange: RequestHandler = async (request, response, next) => {
    const context = requestContextOf(response);
    const exchanged = options.exchange(context);
    if (exchanged === context) return next();
    const { authorization } = await exchanged;
    // For this process's routers, and for those behind a proxy.
    if (authorization !== undefined) Object.assign(context, { authorization });
    if (authorization !== undefined) request.headers.authorization = authorization;
    next();
  };
  const rest = createRestRouter({
    schema: gateway.schema,
    ...(options.brokenRules ? { brokenRules: options.brokenRules } : {}),
    logger,
    execute: (operation) => gateway.execute(operation),
    authenticate: async (context) => {
      const { authorization } = await options.exchange(context);
      await verifier.verify(authorization ?? '');
    },
  });

  const description = createDescriptionRouter({ schema: gateway.schema, version: panelVersion });

  app.use(...always, createHealthRouter(options), metrics.router, trace);
  // Files of the build cost nothing, and a page without one of them shows nothing.
  app.use(createAssetsRouter());
  // Stripe's are verified before anything is kept, and come from addresses that all of its accounts share.
  app.use('/webhooks/gitops', options.admission.webhooks(refuse));
  for (const router of options.webhooks) app.use(router);
  if (origins.length > 0) app.use(...origins);
  app.post(renewals, options.admission.sessions(refuse));
  app.use(admit);
  // Its forms take passwords and one-time codes, as the sensitive mutations do.
  app.post('/oauth/authorize', options.admission.guesses(refuse));
  // The gateway exchanges API keys itself, also those of subscriptions and of lists, which outlive the token of a minute.
  app.use(gateway.router, exchange);
  app.use(createSessionRouter({ execute: gateway.execute, publicUrl: options.publicUrl }));
  for (const router of options.routers) app.use(router);

  app.use(createConsoleRouter());
  app.use(showNotFound);
  const answerFault = answerError(logger);
  const onError: ErrorRequestHandler = (error, request, response, next) => {
    if (error instanceof ApiError && !response.headersSent) refuse(response, error);
    else if (isPassing(error) && !response.headersSent) refuse(response, databaseAway(error));
    else answerFault(error, request, response, next);
  };
  app.use(onError);
  return withApi(app, [...always, trace, ...origins, admit, description, rest], onError);
}

/** Refuses before anything is read, in the form of what was asked for. */
export function refuse(response: Response, error: ApiError): void {
  const { code, message, extensions } = error;
  if (response.req.path !== '/graphql') return refuseUnread(response, error);
  if (!isOutcomeUnknown(extensions)) response.setHeader('Retry-After', extensions.retryAfterSeconds ?? 1);
  response.status(statusOf(code, extensions.reason)).json({ errors: [{ message, extensions }] });
}
