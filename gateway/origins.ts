import type { IncomingMessage } from 'node:http';

import cors from 'cors';
import { Router } from 'express';

/** What the answers carry in headers that a page of another origin could not read otherwise. */
const exposedHeaders = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  'X-Request-Id',
  'Link',
  'X-Total-Count',
  'X-Pending-Email',
  'X-Error-Reason',
  'Age',
  'Warning',
  'Allow',
  'ETag',
  'Location',
  'Deprecation',
  'Sunset',
  'WWW-Authenticate',
];

const preflightSeconds = 600;

/**
 * The sites whose pages may call the API besides the panel's own (CORS_ORIGINS). Never with credentials: a page shows a
 * token, and the API takes no cookie; the console's counts on routes of its own, for the panel's own pages.
 */
export class Origins {
  private readonly allowed: ReadonlySet<string>;

  constructor(
    others: readonly string[],
    private readonly publicUrl: string,
  ) {
    this.allowed = new Set(others);
  }

  /** For the paths of the API; to be mounted before what charges for requests, since preflights have no token. */
  router(): Router {
    const answer = cors({
      origin: [...this.allowed],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders,
      maxAge: preflightSeconds,
    });
    const router = Router();
    router.use(['/graphql', '/api'], (request, response, next) => {
      // Other OPTIONS ask what a route allows, which is for the route to say.
      const isAsked =
        request.method !== 'OPTIONS' || request.headers['access-control-request-method'] !== undefined;
      if (isAsked) answer(request, response, next);
      else next();
    });
    return router;
  }

  /** For WebSockets, to which browsers apply no rule of their own. Programs send no Origin. */
  admits({ headers }: IncomingMessage): boolean {
    const { origin, host } = headers;
    if (origin === undefined || this.allowed.has(origin)) return true;
    return (
      origin === new URL(this.publicUrl).origin || origin === `http://${host}` || origin === `https://${host}`
    );
  }
}

/** Reads CORS_ORIGINS: origins as browsers send them, separated by commas. Throws in words for the operator. */
export function parseOrigins(text: string): string[] {
  return text.split(',').map((item) => {
    const entry = item.trim();
    if (URL.canParse(entry)) {
      const { protocol, origin, href } = new URL(entry);
      if (/^https?:$/.test(protocol) && href === `${origin}/`) return origin;
    }
    throw new Error(
      `must be origins such as https://dashboards.example.com, separated by commas; "${entry}" is none`,
    );
  });
}
