import type { Request, Response } from 'express';

import type { Clock } from '#platform/clock.js';
import type { Database } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { RequestContext } from '#platform/request-context.js';
import { Operation } from '#platform/subgraph/operation.js';

import { identityPermissions } from '../../permissions.js';
import type { LoginService, Opener } from '../../session/login.service.js';
import type { SessionTokens } from '../../session/session-tokens.js';
import { Session } from '../../session/session.entity.js';
import type { SessionService } from '../../session/session.service.js';
import { User } from '../../user/user.entity.js';
import { checkRequest, type AuthorizationService } from '../authorization.service.js';
import type { Interaction } from '../interaction.js';
import type { AuthorizationRequestInput } from '../oauth.inputs.js';
import type { Brand } from './brand.js';
import {
  browserSessionMs,
  isFormOf,
  isFreshFor,
  type BrowserSession,
  type BrowserSessions,
} from './browser-session.js';
import { codePage, consentPage, contentSecurityPolicy, loginPage, problemPage } from './pages.js';

export interface AuthorizePageOptions {
  database: Database;
  clock: Clock;
  authorizations: AuthorizationService;
  logins: LoginService;
  tokens: SessionTokens;
  sessions: SessionService;
  browsers: BrowserSessions;
  isSuspended: (tenantId: string) => boolean;
}

/** Sign-in and consent in a browser: the same services as the API's, one step per form. */
export class AuthorizePage {
  constructor(private readonly options: AuthorizePageOptions) {}

  /** The form that comes next for this browser: sign in, or agree; and none where the node wants nothing to be asked. */
  async show(request: Request, response: Response): Promise<void> {
    const { browsers, clock, authorizations } = this.options;
    const { wanted, brand, interaction } = await this.readRequest(request, response);
    const browser = browsers.read(request, clock.now()) ?? browsers.begin(response, clock.now());
    const { csrf } = browser;
    const operation = await this.signedIn(request, response, browser);
    if (interaction.isSilent) return response.redirect(303, await this.answerSilently(operation, wanted));
    if (!operation) return send(response, 200, loginPage({ csrf, brand }));
    try {
      const isFresh = isFreshFor(browser, request.originalUrl, clock.now());
      const preflight = await authorizations.preflight(operation, wanted, isFresh);
      const target = new URL(preflight.redirectUri).origin;
      response.setHeader('Content-Security-Policy', contentSecurityPolicy(brand, target));
      send(response, 200, consentPage({ csrf, preflight, brand }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.extensions.reason === 'LOGIN_REQUIRED')
        return send(response, 200, loginPage({ csrf, brand }));
      // Of another organization's node, most likely: the way out is another account.
      response.setHeader('Content-Security-Policy', contentSecurityPolicy());
      send(response, 400, problemPage(error.message, { csrf }));
    }
  }

  /** Where the browser goes when nobody may be asked: to the node, with a code or with why there is none. */
  private async answerSilently(
    operation: Operation | undefined,
    wanted: AuthorizationRequestInput,
  ): Promise<string> {
    const { authorizations } = this.options;
    if (!operation) return authorizations.refusalUrl(wanted, 'login_required');
    try {
      const { consentId } = await authorizations.preflight(operation, wanted, false);
      return await decide(operation, authorizations, consentId, true);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'BAD_REQUEST') throw error;
      // Whoever is signed in is of another organization: another account has to be chosen.
      const known = ['LOGIN_REQUIRED', 'CONSENT_REQUIRED'].find(
        (reason) => reason === error.extensions.reason,
      );
      return authorizations.refusalUrl(wanted, known?.toLowerCase() ?? 'interaction_required');
    }
  }

  /** One filled-in form. */
  async take(request: Request, response: Response): Promise<void> {
    const { brand } = await this.readRequest(request, response);
    const form = (request.body ?? {}) as Record<string, unknown>;
    const field = (name: string) => (typeof form[name] === 'string' ? form[name] : '');
    if (Object.values(form).some((value) => String(value).includes('\0'))) {
      throw new ApiError('BAD_REQUEST', 'The form is not well-formed');
    }
    const browser = this.options.browsers.read(request, this.options.clock.now());
    if (!browser || !isFormOf(browser, field('csrf'))) {
      throw new ApiError('FORBIDDEN', 'The form is too old, or was not made for this browser');
    }
    switch (field('step')) {
      case 'login':
        return this.takeLogin(request, response, browser, brand, {
          email: field('email'),
          password: field('password'),
        });
      case 'code':
        return this.takeCode(request, response, browser, brand, field('challenge_token'), field('code'));
      case 'consent':
        return this.takeConsent(request, response, browser, field('consent_id'), field('approve') === 'yes');
      case 'leave':
        return this.leave(request, response, browser);
      default:
        throw new ApiError('BAD_REQUEST', 'The form is incomplete');
    }
  }

  private async takeLogin(
    request: Request,
    response: Response,
    { csrf }: BrowserSession,
    brand: Brand | undefined,
    input: { email: string; password: string },
  ): Promise<void> {
    const operation = this.operation(request, response);
    const open = this.opener(operation);
    try {
      const entry = await operation.mutation({ name: 'login', args: { input } }, () =>
        this.options.logins.enter(operation, input, open),
      );
      if ('opened' in entry) return this.proceed(request, response, entry.opened);
      const { challengeToken } = entry.challenge;
      send(response, 200, codePage({ csrf, brand, challengeToken }));
    } catch (error) {
      const { status, problem } = told(error, response);
      send(response, status, loginPage({ csrf, brand, problem, email: input.email }));
    }
  }

  private async takeCode(
    request: Request,
    response: Response,
    { csrf }: BrowserSession,
    brand: Brand | undefined,
    challengeToken: string,
    code: string,
  ): Promise<void> {
    const operation = this.operation(request, response);
    const open = this.opener(operation);
    try {
      const session = await operation.mutation({ name: 'verifyTotp', args: { input: { code } } }, () =>
        this.options.logins.answer(operation, challengeToken, code, open),
      );
      this.proceed(request, response, session);
    } catch (error) {
      const { status, problem, reason } = told(error, response);
      if (reason === 'CHALLENGE_INVALID') send(response, status, loginPage({ csrf, brand, problem }));
      else send(response, status, codePage({ csrf, brand, problem, challengeToken }));
    }
  }

  private async takeConsent(
    request: Request,
    response: Response,
    browser: BrowserSession,
    consentId: string,
    approve: boolean,
  ): Promise<void> {
    const operation = await this.signedIn(request, response, browser);
    if (!operation) return response.redirect(303, request.originalUrl);
    const target = await decide(operation, this.options.authorizations, consentId, approve);
    this.options.browsers.answered(response, browser);
    // 303, so that the form is not sent on to the node (RFC 9700, section 4.12).
    response.redirect(303, target);
  }

  private async leave(request: Request, response: Response, browser: BrowserSession): Promise<void> {
    const operation = await this.signedIn(request, response, browser);
    if (operation) {
      const { sessionId } = operation.requireUser();
      await operation.mutation({ name: 'logout', args: {} }, () =>
        this.options.sessions.revoke(operation, sessionId, 'LOGGED_OUT'),
      );
    }
    this.options.browsers.begin(response, this.options.clock.now());
    response.redirect(303, request.originalUrl);
  }

  /** Throws unless the request is in order and its redirect URI is the client's: before that nothing is shown. */
  private async readRequest(
    request: Request,
    response: Response,
  ): Promise<{ wanted: AuthorizationRequestInput; brand: Brand | undefined; interaction: Interaction }> {
    const parameters = new URL(request.originalUrl, 'http://panel').searchParams;
    const repeated = [...parameters.keys()].find((name) => parameters.getAll(name).length > 1);
    if (repeated) throw new ApiError('BAD_REQUEST', 'A parameter of the request is repeated');
    const wanted: AuthorizationRequestInput = {
      clientId: parameters.get('client_id') ?? '',
      redirectUri: parameters.get('redirect_uri') ?? '',
      state: parameters.get('state'),
      codeChallenge: parameters.get('code_challenge') ?? '',
      codeChallengeMethod: parameters.get('code_challenge_method'),
      responseType: parameters.get('response_type'),
      nonce: parameters.get('nonce'),
      prompt: parameters.get('prompt'),
      maxAge: secondsOf(parameters.get('max_age')),
    };
    if ([...parameters.values()].some((value) => value.includes('\0'))) {
      throw new ApiError('BAD_REQUEST', 'The request is not well-formed');
    }
    const operation = this.operation(request, response);
    const { clientId, redirectUri } = wanted;
    const known = await this.options.authorizations.known(operation, clientId, redirectUri);
    if (!known) {
      throw new ApiError('BAD_REQUEST', 'The node that sent you here is not registered with this address');
    }
    const interaction = checkRequest(wanted);
    response.setHeader('Content-Security-Policy', contentSecurityPolicy(known.branding));
    return { wanted, brand: known.branding, interaction };
  }

  /** An operation of the user whose session the browser holds, while that session lives. */
  private async signedIn(
    request: Request,
    response: Response,
    { session: held }: BrowserSession,
  ): Promise<Operation | undefined> {
    if (!held) return undefined;
    const operation = this.operation(request, response);
    const { tenantId, id } = held;
    const em = operation.database.forTenant(tenantId);
    const live = { tenantId, id, revokedAt: null, expiresAt: { $gt: operation.clock.now() } };
    const session = await em.findOne(Session, live);
    const user = session && (await em.findOne(User, { tenantId, id: session.userId }));
    if (!session || !user || this.options.isSuspended(tenantId)) return undefined;
    operation.adopt(this.options.tokens.viewerOf(operation, user, session));
    return operation;
  }

  private proceed(request: Request, response: Response, session: Session): void {
    this.options.browsers.begin(response, this.options.clock.now(), session, request.originalUrl);
    response.redirect(303, request.originalUrl);
  }

  private opener(operation: Operation): Opener<Session> {
    return (write, user) => this.options.tokens.openWithoutTokens(operation, write, user, browserSessionMs);
  }

  private operation(request: Request, response: Response): Operation {
    const { database, clock, isSuspended } = this.options;
    const known = response.locals.requestContext as RequestContext | undefined;
    const context = known ?? {
      requestId: newId('event'),
      clientAddress: request.socket.remoteAddress ?? 'unknown',
    };
    return new Operation({
      request: context,
      database,
      clock,
      viewer: undefined,
      denial: undefined,
      permissions: identityPermissions,
      isSuspended,
    });
  }
}

/** The answer to a consent as the API takes it, so that the trail has it alike. */
async function decide(
  operation: Operation,
  authorizations: AuthorizationService,
  consentId: string,
  approve: boolean,
): Promise<string> {
  const call = { name: 'decideAuthorization', args: { input: { approve } } };
  return operation.mutation(call, () => authorizations.decide(operation, { consentId, approve }));
}

/** Not a number when it is none, which the check of the request refuses. */
function secondsOf(text: string | null): number | null {
  if (text === null || text === '') return null;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

function told(
  error: unknown,
  response: Response,
): { status: number; problem: string; reason: string | undefined } {
  if (!(error instanceof ApiError) || error.code === 'INTERNAL') throw error;
  const { reason, retryAfterSeconds } = error.extensions;
  if (retryAfterSeconds) response.setHeader('Retry-After', String(retryAfterSeconds));
  return { status: error.code === 'RATE_LIMITED' ? 429 : 401, problem: `${error.message}.`, reason };
}

function send(response: Response, status: number, html: string): void {
  response.status(status).type('html').send(html);
}
