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
    // Nobody catches what a listener throws: it would end the process.
    const fail = (error: unknown): void => {
      try {
        onError(error, request, response, () => undefined);
      } catch {
        // There is nothing left that could answer.
        response.destroy();
      }
    };
    const path = pathOf(request);
    if (path !== '/api' && !path.startsWith('/api/')) {
      // The application leaves nothing unanswered but what is no address.
      app(request, response, (error?: unknown) => fail(error ?? noAddress()));
      return;
    }
    // As Express has them.
    request.res = response;
    request.baseUrl = '';
    request.originalUrl = request.url;
    response.locals = {};
    runInTurn(handlers, fail, request, response);
  };
  return Object.assign(listener as unknown as RequestListener, {
    request: app.request,
    response: app.response,
  });
}

/** Empty for what is no address, as `http://[/`, which Node lets through. */
function pathOf(request: Request): string {
  try {
    // Null for `http://`, whatever the types say.
    return (request.path as string | null) ?? '';
  } catch {
    return '';
  }
}

function noAddress(): Error {
  return Object.assign(new Error('what is asked for is no address'), { status: 400 });
}

function runInTurn(
  handlers: readonly RequestHandler[],
  fail: (error: unknown) => void,
  request: Request,
  response: Response,
): void {
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
