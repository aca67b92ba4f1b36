import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import type { RequestHandler, Response } from 'express';

import type { RequestContext } from '#platform/request-context.js';

import { clientAddress, type TrustProxy } from './client-address.js';

const acceptedRequestId = /^[A-Za-z0-9._-]{1,128}$/;

/** What is known of a request from its own headers. Used for HTTP requests and WebSocket upgrades alike. */
export function requestContextFrom(request: IncomingMessage, trustProxy: TrustProxy): RequestContext {
  const { headers } = request;
  const given = single(headers['x-request-id']);
  const idempotencyKey = single(headers['idempotency-key']);
  return {
    requestId: given !== undefined && acceptedRequestId.test(given) ? given : randomUUID(),
    clientAddress: clientAddress(request, trustProxy),
    ...(headers.authorization === undefined ? {} : { authorization: headers.authorization }),
    ...(headers['user-agent'] === undefined ? {} : { userAgent: headers['user-agent'] }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
}

/** Puts the RequestContext where `requestContextOf` finds it, and answers with the request's id. */
export function requestContextMiddleware(trustProxy: TrustProxy): RequestHandler {
  return (request, response, next) => {
    if (!response.locals.requestContext) {
      const context = requestContextFrom(request, trustProxy);
      response.locals.requestContext = context;
      response.setHeader('X-Request-Id', context.requestId);
    }
    next();
  };
}

/** The context that `requestContextMiddleware` made for this request. */
export function requestContextOf(response: Response): RequestContext {
  const context = response.locals.requestContext as RequestContext | undefined;
  if (!context) throw new Error('requestContextMiddleware has not run for this request');
  return context;
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
