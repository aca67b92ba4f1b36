import { timingSafeEqual } from 'node:crypto';

import type { Request, Response } from 'express';
import { z } from 'zod';

import type { Keyring } from '#platform/secrets/keyring.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';

import type { Session } from '../../session/session.entity.js';

const cookieName = 'quazzar_sign_in';
const boundTo = 'oauth browser session';

// How long a browser may go on to other nodes without the password; the session may be ended earlier.
export const browserSessionMs = 8 * 60 * 60 * 1000;

const shape = z.object({
  csrf: z.string(),
  expiresAt: z.number(),
  session: z.object({ tenantId: z.string(), id: z.string() }).nullable(),
  /** The request that the user has signed in for, and until when that counts; absent in cookies from before it was kept. */
  freshFor: z.object({ request: z.string(), until: z.number() }).nullish(),
});

// How long a user who was asked to sign in anew may take to agree.
const freshMs = 10 * 60_000;

/** What the authorize page remembers of a browser: a CSRF token, and once signed in a session of the panel. */
export type BrowserSession = z.infer<typeof shape>;

export class BrowserSessions {
  private readonly isSecure: boolean;

  constructor(
    private readonly keyring: Keyring,
    issuer: string,
  ) {
    this.isSecure = issuer.startsWith('https:');
  }

  /** Undefined when the browser brings none, or one that has ended or is not ours. */
  read(request: Request, now: Date): BrowserSession | undefined {
    const sealed = cookieOf(request);
    if (!sealed) return undefined;
    try {
      const found = shape.parse(JSON.parse(this.keyring.open(sealed, boundTo)));
      return found.expiresAt > now.getTime() ? found : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * Starts anew, with a CSRF token of its own: what was known before a sign-in is worth nothing after it. `request` is
   * what the user has signed in for.
   */
  begin(response: Response, now: Date, session?: Session, request?: string): BrowserSession {
    const begun: BrowserSession = {
      csrf: randomToken(),
      expiresAt: now.getTime() + browserSessionMs,
      session: session ? { tenantId: session.tenantId, id: session.id } : null,
      freshFor: request === undefined ? null : { request: sha256(request), until: now.getTime() + freshMs },
    };
    this.write(response, begun);
    return begun;
  }

  /** A request was answered: who sends it again is asked to sign in again. */
  answered(response: Response, browser: BrowserSession): void {
    if (browser.freshFor) this.write(response, { ...browser, freshFor: null });
  }

  private write(response: Response, browser: BrowserSession): void {
    response.cookie(cookieName, this.keyring.seal(JSON.stringify(browser), boundTo), {
      path: '/oauth',
      httpOnly: true,
      // Not strict: the browser comes here from the node, and a strict cookie would stay behind.
      sameSite: 'lax',
      secure: this.isSecure,
    });
  }
}

/** Whether the user has signed in for this request, a short while ago. */
export function isFreshFor({ freshFor }: BrowserSession, request: string, now: Date): boolean {
  return freshFor != null && freshFor.request === sha256(request) && freshFor.until > now.getTime();
}

/** Whether a form carries the token of the browser that sends it. */
export function isFormOf(browser: BrowserSession, csrf: string | undefined): boolean {
  const [expected, given] = [Buffer.from(browser.csrf), Buffer.from(csrf ?? '')];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function cookieOf(request: Request): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1);
}
