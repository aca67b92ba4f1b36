import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import type { Clock } from '../clock.js';
import type { Visits } from '../impersonation/visits.js';
import type { AgentLogger } from '../logger.js';
import { ExpiringMap } from './expiring-map.js';
import { contentSecurityPolicy, sessionPage, visitPage, welcomePage } from './pages.js';
import { panelProvider, SignInError, type SignedInUser } from './provider.js';
import { attemptMs, SignIn } from './sign-in.js';

export interface SignInListenerOptions {
  panelUrl: string;
  /** What the panel must call itself. */
  issuer: string;
  /** Where browsers reach the node: an http address of this machine with a port. */
  baseUrl: string;
  name: string;
  clientId: () => string | undefined;
  /** Lets in those who come from the panel. */
  visits: Visits;
  clock: Clock;
  logger: AgentLogger;
  fetch: typeof fetch;
}

const sessionMs = 8 * 60 * 60_000;

/** Where the panel sends the browser back to. */
export function callbackOf(baseUrl: string): string {
  return `${baseUrl.replace(/\/$/, '')}/callback`;
}

/** Whether a node at this address can serve its own sign-in: plain http, and nobody but this machine reaches it. */
export function isLoopback(baseUrl: string): boolean {
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}

/**
 * Serves the node's sign-in: `/` who is signed in, `/login`, `/callback`, `/logout`, and `/api/cp/session` for those whom
 * the panel sends. Rejects when the port is taken.
 */
export async function startSignInListener(
  options: SignInListenerOptions,
): Promise<{ stop(): Promise<void> }> {
  const node = new NodePages(options);
  const server = createServer((request, response) => void node.answer(request, response));
  const { hostname, port } = new URL(options.baseUrl);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(port || 80), hostname.replaceAll(/[[\]]/g, ''), resolve);
  });
  return {
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

class NodePages {
  private readonly cookies: CookieNames;
  private readonly signIn: SignIn;
  private readonly sessions: ExpiringMap<SignedInUser>;

  constructor(private readonly options: SignInListenerOptions) {
    const { panelUrl, issuer, clock, baseUrl, clientId, fetch } = options;
    this.cookies = cookieNames(baseUrl);
    const provider = panelProvider({ panelUrl, issuer, clock, fetch });
    this.signIn = new SignIn({ provider, clock, clientId, redirectUri: callbackOf(baseUrl) });
    this.sessions = new ExpiringMap(clock, { lifetimeMs: sessionMs, max: 10_000 });
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('Content-Security-Policy', contentSecurityPolicy);
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    try {
      await this.route(request, response);
    } catch (error) {
      const isExpected = error instanceof SignInError;
      this.options.logger.warn({ err: error }, 'A sign-in failed');
      const problem = isExpected ? error.message : 'The panel could not be asked; try again.';
      this.send(response, isExpected ? 400 : 502, welcomePage(this.options.name, problem));
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.options.baseUrl);
    const { cookies } = this;
    const user = this.sessions.get(cookie(request, cookies.session) ?? '');
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /': {
        const { name, visits } = this.options;
        const visit = visits.get(cookie(request, cookies.visit) ?? '');
        if (visit) return this.send(response, 200, visitPage(name, visit));
        return this.send(response, 200, user ? sessionPage(name, user) : welcomePage(name));
      }
      case 'GET /login': {
        const { location, attemptId, state } = await this.signIn.begin();
        return redirect(response, location, [setCookie(cookies.attempt(state), attemptId, attemptMs)]);
      }
      case 'GET /callback': {
        const attempt = cookies.attempt(url.searchParams.get('state') ?? '');
        const signedIn = await this.signIn.complete(cookie(request, attempt), url.searchParams);
        this.options.logger.info({ user: signedIn.sub, role: signedIn.role }, 'Signed in by the panel');
        const session = this.sessions.add(signedIn);
        return redirect(response, '/', [setCookie(cookies.session, session), clearCookie(attempt)]);
      }
      case 'GET /api/cp/session': {
        const visit = await this.options.visits.begin(url.searchParams.get('token'));
        return redirect(response, '/', [setCookie(cookies.visit, visit)]);
      }
      case 'POST /logout':
        this.options.visits.end(cookie(request, cookies.visit) ?? '');
        this.sessions.take(cookie(request, cookies.session) ?? '');
        return redirect(response, '/', [clearCookie(cookies.session), clearCookie(cookies.visit)]);
      default:
        return this.send(response, 404, welcomePage(this.options.name, 'There is no such page'));
    }
  }

  private send(response: ServerResponse, status: number, html: string): void {
    response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(html);
  }
}

function redirect(response: ServerResponse, location: string, cookies: string[]): void {
  response.writeHead(303, { Location: location, 'Set-Cookie': cookies }).end();
}

interface CookieNames {
  session: string;
  visit: string;
  /** One for each sign-in under way, known by its `state`, so that two tabs don't undo each other's. */
  attempt: (state: string) => string;
}

/** Cookies are a host's, whatever the port (RFC 6265, section 8.5): nodes on one machine are told apart by name. */
function cookieNames(baseUrl: string): CookieNames {
  const node = new URL(baseUrl).port || '80';
  return {
    session: `node_session_${node}`,
    visit: `node_visit_${node}`,
    attempt: (state) =>
      `node_sign_in_${node}_${createHash('sha256').update(state).digest('base64url').slice(0, 16)}`,
  };
}

// Lax, since the browser comes back from the panel's site; not Secure, since a loopback address has no TLS.
function setCookie(name: string, value: string, lifetimeMs?: number): string {
  const age = lifetimeMs === undefined ? '' : `; Max-Age=${lifetimeMs / 1000}`;
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${age}`;
}

function clearCookie(name: string): string {
  return `${name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`;
}

function cookie(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
