import type { RequestHandler } from 'express';

import { beginSpan, failed, inSpan, inTraceOf, isTracing } from './tracing.js';

/** A span for each request that passes, in the trace that its caller names. */
export function traceRequests(): RequestHandler {
  return (request, response, next) => {
    if (!isTracing()) return next();
    inTraceOf(request.headers, () => {
      const { method, path } = request;
      const span = beginSpan(`${method} ${path.split('/', 3).join('/')}`, {
        kind: 'server',
        attributes: {
          'http.request.method': method,
          'url.path': path,
          'quazzar.request_id': requestIdOf(response),
        },
      });
      if (!span) return next();
      response.once('close', () => {
        const { statusCode } = response;
        span.setAttribute('http.response.status_code', statusCode);
        if (statusCode >= 500) failed(span, new Error(String(statusCode)));
        if (!response.writableFinished) span.setAttribute('error.type', 'client_closed');
        span.end();
      });
      inSpan(span, next);
    });
  };
}

function requestIdOf(response: { locals: Record<string, unknown>; req: { headers: object } }): string {
  const known = response.locals['requestContext'] as { requestId?: string } | undefined;
  const told = (response.req.headers as Record<string, unknown>)['x-request-id'];
  return known?.requestId ?? (typeof told === 'string' ? told.slice(0, 128) : '');
}
