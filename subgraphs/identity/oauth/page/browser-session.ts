import { timingSafeEqual } from 'node:crypto';

import type { Request, Response } from 'express';
import { z } from 'zod';

import type { Keyring } from '#platform/secrets/keyring.js';
import { randomToken } from '#platform/secrets/random-token.js';

import type { Session } from '../../session/session.entity.js';

const cookieName = 'quazzar_sign_in';
const boundTo = 'oauth browser session';

// How long a browser may go on to other nodes without the password; the session may be ended earlier.
export const browserSessionMs = 8 * 60 * 60 * 1000;

const shape = z.object({
  csrf: z.string(),
  expiresAt: z.number(),
  session: z.object({ tenantId: z.string(), id: z.string() }).nullable(),
});

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

  /** Starts anew, with a CSRF token of its own: what was known before a sign-in is worth nothing after it. */
  begin(response: Response, now: Date, session?: Session): BrowserSession {
    const begun: BrowserSession = {
      csrf: randomToken(),
      expiresAt: now.getTime() + browserSessionMs,
      session: session ? { tenantId: session.tenantId, id: session.id } : null,
    };
    response.cookie(cookieName, this.keyring.seal(JSON.stringify(begun), boundTo), {
      path: '/oauth',
      httpOnly: true,
      // Not strict: the browser comes here from the node, and a strict cookie would stay behind.
      sameSite: 'lax',
      secure: this.isSecure,
    });
    return begun;
  }
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
