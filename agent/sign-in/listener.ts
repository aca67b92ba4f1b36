import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import type { Clock } from '../clock.js';
import type { Visits } from '../impersonation/visits.js';
import type { AgentLogger } from '../logger.js';
import { ExpiringMap } from './expiring-map.js';
import { contentSecurityPolicy, sessionPage, visitPage, welcomePage } from './pages.js';
import { panelProvider, SignInError, type SignedInUser } from './provider.js';
import { SignIn } from './sign-in.js';

export interface SignInListenerOptions {
  panelUrl: string;
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
const attemptCookie = 'node_sign_in';
const sessionCookie = 'node_session';
const visitCookie = 'node_visit';

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
  private readonly signIn: SignIn;
  private readonly sessions: ExpiringMap<SignedInUser>;

  constructor(private readonly options: SignInListenerOptions) {
    const { panelUrl, clock, baseUrl, clientId, fetch } = options;
    const provider = panelProvider({ panelUrl, clock, fetch });
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
    const user = this.sessions.get(cookie(request, sessionCookie) ?? '');
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /': {
        const { name, visits } = this.options;
        const visit = visits.get(cookie(request, visitCookie) ?? '');
        if (visit) return this.send(response, 200, visitPage(name, visit));
        return this.send(response, 200, user ? sessionPage(name, user) : welcomePage(name));
      }
      case 'GET /login': {
        const { location, attemptId } = await this.signIn.begin();
        return redirect(response, location, [setCookie(attemptCookie, attemptId)]);
      }
      case 'GET /callback': {
        const signedIn = await this.signIn.complete(cookie(request, attemptCookie), url.searchParams);
        this.options.logger.info({ user: signedIn.sub, role: signedIn.role }, 'Signed in by the panel');
        const session = this.sessions.add(signedIn);
        return redirect(response, '/', [setCookie(sessionCookie, session), clearCookie(attemptCookie)]);
      }
      case 'GET /api/cp/session': {
        const visit = await this.options.visits.begin(url.searchParams.get('token'));
        return redirect(response, '/', [setCookie(visitCookie, visit)]);
      }
      case 'POST /logout':
        this.options.visits.end(cookie(request, visitCookie) ?? '');
        this.sessions.take(cookie(request, sessionCookie) ?? '');
        return redirect(response, '/', [clearCookie(sessionCookie), clearCookie(visitCookie)]);
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

// Lax, since the browser comes back from the panel's site; not Secure, since a loopback address has no TLS.
function setCookie(name: string, value: string): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax`;
}

function clearCookie(name: string): string {
  return `${name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`;
}

function cookie(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
