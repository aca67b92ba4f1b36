import express, { Router, type RequestHandler, type Response } from 'express';
import { parse, type DocumentNode } from 'graphql';

import type { Execute } from '#gateway/execute.js';
import { Origins } from '#gateway/origins.js';
import { requestContextOf } from '#gateway/request-context.js';
import type { RequestContext } from '#platform/request-context.js';
import { Refusal, toRefusal } from '#rest-compat/errors.js';

import { SessionCookie } from './session-cookie.js';

export const sessionPath = '/console/session';

/** Where the cookie's token is traded for the next one. */
export const renewals = [`${sessionPath}/refresh`, `${sessionPath}/logout`];

/** What a request for a session has to carry. A page of another site can't send it: the API's CORS is not for these paths. */
export const consoleHeader = 'x-quazzar-console';

const tokens = 'accessToken refreshToken expiresIn';
const documents = {
  login: parse(
    `mutation($input: LoginInput!) { reply: login(input: $input) { ${tokens} challengeToken totpRequired } }`,
  ),
  code: parse(`mutation($input: VerifyTotpInput!) { reply: verifyTotp(input: $input) { ${tokens} } }`),
  refresh: parse(
    `mutation($input: RefreshSessionInput!) { reply: refreshSession(input: $input) { ${tokens} } }`,
  ),
  logout: parse('mutation { reply: logout { id } }'),
};

interface Tokens {
  accessToken: string | null;
  refreshToken: string | null;
  expiresIn: number | null;
  challengeToken?: string | null;
}

export interface SessionRouterOptions {
  execute: Execute;
  publicUrl: string;
}

/**
 * The console's own session: signs in by the same operations as everyone, and keeps the refresh token in a cookie that
 * no script can read. What a page gets is an access token, for its memory.
 */
export function createSessionRouter({ execute, publicUrl }: SessionRouterOptions): Router {
  const cookie = new SessionCookie(publicUrl);

  async function run(document: DocumentNode, context: RequestContext, input?: unknown): Promise<Tokens> {
    const { data, errors } = await execute({
      document,
      context,
      ...(input === undefined ? {} : { variables: { input } }),
    });
    const reply = data?.['reply'] as Tokens | null | undefined;
    if (errors?.[0] || !reply) throw toRefusal(errors?.[0]);
    return reply;
  }

  /** Keeps the refresh token, and answers what a script may have. */
  function hand(response: Response, { refreshToken, challengeToken, ...rest }: Tokens): void {
    const { accessToken, expiresIn } = rest;
    if (challengeToken) return void response.json({ challengeToken, expiresIn });
    if (!refreshToken || !accessToken) throw new Error('A session without tokens');
    cookie.write(response, refreshToken);
    response.json({ accessToken, expiresIn });
  }

  const answering =
    (answer: (request: express.Request, response: Response) => Promise<void>): RequestHandler =>
    async (request, response) => {
      try {
        await answer(request, response);
      } catch (error) {
        refuse(response, toRefusal(error));
      }
    };

  const signingIn = (document: DocumentNode) =>
    answering(async (request, response) => {
      hand(response, await run(document, strangerOf(response), request.body ?? {}));
    });

  const renew = async (request: express.Request, response: Response): Promise<Tokens> => {
    const refreshToken = cookie.read(request);
    if (refreshToken === undefined) throw Refusal.of('UNAUTHENTICATED', 'Nobody is signed in');
    try {
      return await run(documents.refresh, strangerOf(response), { refreshToken });
    } catch (error) {
      // Only what is known to be over is forgotten: a panel without its database has not ended anything.
      if (error instanceof Refusal && error.status === 401) cookie.clear(response);
      throw error;
    }
  };

  const router = Router();
  router.use(sessionPath, onlyOwnPages(publicUrl), express.json({ limit: '8kb' }));
  router.post(`${sessionPath}/login`, signingIn(documents.login));
  router.post(`${sessionPath}/code`, signingIn(documents.code));
  router.post(
    `${sessionPath}/refresh`,
    answering(async (request, response) => hand(response, await renew(request, response))),
  );
  router.post(
    `${sessionPath}/logout`,
    answering(async (request, response) => {
      const { accessToken, refreshToken } = await renew(request, response);
      try {
        await run(documents.logout, { ...strangerOf(response), authorization: `Bearer ${accessToken}` });
      } catch (error) {
        // The one that came along is used up: without its successor the next try would be taken for a thief's.
        if (refreshToken) cookie.write(response, refreshToken);
        throw error;
      }
      cookie.clear(response);
      response.status(204).end();
    }),
  );
  return router;
}

/** A session is a browser's that shows the console: the cookie comes along with nothing else. */
function onlyOwnPages(publicUrl: string): RequestHandler {
  const own = new Origins([], publicUrl);
  return (request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    const { origin, 'sec-fetch-site': site = 'same-origin' } = request.headers;
    const isOwn = origin !== undefined && own.admits(request) && site === 'same-origin';
    if (request.method === 'POST' && isOwn && request.headers[consoleHeader] !== undefined) next();
    else refuse(response, Refusal.of('FORBIDDEN', "Only the console's own pages have sessions here"));
  };
}

/** Whoever has a session here says so by the cookie alone. */
function strangerOf(response: Response): RequestContext {
  const { authorization: _, ...context } = requestContextOf(response);
  return context;
}

function refuse(response: Response, { status, message, headers, options }: Refusal): void {
  const { code, reason, details } = options;
  response.status(status).set(headers).json({ error: message, code, reason, details });
}
