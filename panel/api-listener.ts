import type { RequestListener } from 'node:http';

import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';

/** What an HTTP server calls for each request, and the prototypes that it makes requests and answers with. */
export type HttpApp = RequestListener & Pick<Express, 'request' | 'response'>;

/**
 * The application, but for `/api` and what is below it, where these handlers run one after the other; the last answers
 * whatever it is asked. Most requests are for the API: Express matches each against every path and method that there is.
 */
export function withApi(
  app: Express,
  handlers: readonly RequestHandler[],
  onError: ErrorRequestHandler,
): HttpApp {
  const listener = (request: Request, response: Response): void => {
    const { path } = request;
    if (!path.startsWith('/api/') && path !== '/api') {
      app(request, response);
      return;
    }
    // As Express has them.
    request.res = response;
    request.baseUrl = '';
    request.originalUrl = request.url;
    response.locals = {};
    runInTurn(handlers, onError, request, response);
  };
  return Object.assign(listener as unknown as RequestListener, {
    request: app.request,
    response: app.response,
  });
}

function runInTurn(
  handlers: readonly RequestHandler[],
  onError: ErrorRequestHandler,
  request: Request,
  response: Response,
): void {
  const fail = (error: unknown): void => void onError(error, request, response, () => undefined);
  const run = (at: number): void => {
    try {
      const done: unknown = handlers[at]!(request, response, (error?: unknown) =>
        error ? fail(error) : run(at + 1),
      );
      if (done instanceof Promise) done.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
  run(0);
}
