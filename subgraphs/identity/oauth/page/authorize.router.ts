import express, { type Request, type Response, type Router } from 'express';

import { databaseAway, isPassing } from '#platform/database/outage.js';
import { ApiError, isOutcomeUnknown } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';

import { AuthorizePage, type AuthorizePageOptions } from './authorize-page.js';
import { contentSecurityPolicy, problemPage } from './pages.js';

const path = '/oauth/authorize';

/** The browser's side of the authorization endpoint, server-rendered and without scripts. */
export function createAuthorizeRouter(options: AuthorizePageOptions & { logger: Logger }): Router {
  const page = new AuthorizePage(options);
  const router = express.Router();
  const answering = (answer: (request: Request, response: Response) => Promise<void>) => {
    return async (request: Request, response: Response) => {
      try {
        await answer(request, response);
      } catch (error) {
        refuse(error, response, options.logger);
      }
    };
  };
  router.use(path, (_request, response, next) => {
    response.setHeader('Content-Security-Policy', contentSecurityPolicy());
    response.setHeader('X-Frame-Options', 'DENY');
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  router.get(
    path,
    answering((request, response) => page.show(request, response)),
  );
  router.post(
    path,
    express.urlencoded({ extended: false, limit: '32kb' }),
    answering((request, response) => page.take(request, response)),
  );
  return router;
}

/** Whatever is wrong is told here. A URI that was not verified is never redirected to. */
function refuse(thrown: unknown, response: Response, logger: Logger): void {
  const error = isPassing(thrown) ? databaseAway(thrown) : thrown;
  const isOurs = error instanceof ApiError && error.code !== 'INTERNAL';
  if (!isOurs) logger.error({ err: error }, 'the authorize page failed');
  const known = isOurs && isOutcomeUnknown(error.extensions) ? 502 : undefined;
  const status = known ?? (isOurs ? (statusOf[error.code] ?? 400) : 500);
  if (isOurs && error.extensions.retryAfterSeconds)
    response.setHeader('Retry-After', String(error.extensions.retryAfterSeconds));
  response.setHeader('Content-Security-Policy', contentSecurityPolicy());
  response
    .status(status)
    .type('html')
    .send(problemPage(isOurs ? error.message : 'Something went wrong on our side.'));
}

export const statusOf: Partial<Record<ApiError['code'], number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  CONFLICT: 409,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
};
