import type { Response } from 'express';

import { refusalBody, type Refusal } from './errors.js';
import { oauthError } from './oauth-errors.js';
import type { RouteOptions } from './route.js';

/** Sends a whole JSON answer. Node leaves the body out by itself when the request was a HEAD. */
export function sendJson(response: Response, status: number, body: unknown): void {
  // As text, which goes out in one write with the headers.
  const text = JSON.stringify(body ?? null);
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/** Sends the status and the headers alone. */
export function sendEmpty(response: Response, status: number): void {
  response.statusCode = status;
  response.end();
}

/** Sends a refusal in the style its row asks for. */
export function sendRefusal(
  response: Response,
  refusal: Refusal,
  { errors: style, public: isPublic }: Pick<RouteOptions, 'errors' | 'public'> = {},
): void {
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  // RFC 6750, section 3.1: by this a client knows that its token is to be renewed. Public routes judge other secrets.
  const hasToken = /^bearer /i.test(response.req.headers.authorization ?? '');
  if (refusal.status === 401 && hasToken && !isPublic)
    response.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
  if (style === 'oauth') {
    const { status, body } = oauthError(refusal);
    response.setHeader('Pragma', 'no-cache');
    sendJson(response, status, body);
  } else {
    sendJson(response, refusal.status, refusalBody(refusal));
  }
}
