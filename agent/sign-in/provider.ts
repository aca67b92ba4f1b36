import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { z } from 'zod';

import { elapsedBy, type Clock } from '../clock.js';

const metadataShape = z.object({
  issuer: z.url(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
});

type Metadata = z.infer<typeof metadataShape>;

const tokensShape = z.object({ id_token: z.string().min(1) });

const claimsShape = z.object({
  sub: z.string().min(1),
  email: z.string(),
  name: z.string(),
  tenant: z.string(),
  role: z.string(),
  nonce: z.string(),
});

/** Who the panel says has signed in. */
export type SignedInUser = Omit<z.infer<typeof claimsShape>, 'nonce'>;

/** The panel does not say what it should, or says no; the words are for the person at the browser. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
}

export interface CodeExchange {
  clientId: string;
  redirectUri: string;
  code: string;
  verifier: string;
  nonce: string;
}

export interface PanelProvider {
  metadata(): Promise<Metadata>;
  /** Trades a code and checks the assertion it gives: signature, issuer, audience, end, nonce. */
  exchange(exchange: CodeExchange): Promise<SignedInUser>;
}

const timeoutMs = 10_000;
// As long as the panel itself lets its document and its keys be kept.
const keptMs = 5 * 60_000;
const clockToleranceSeconds = 60;

/** The panel as identity provider (RFC 8414, RFC 6749, OpenID Connect Core). What it says of itself is kept for a while. */
export function panelProvider(options: {
  panelUrl: string;
  /** What the panel must call itself. */
  issuer: string;
  clock: Clock;
  fetch: typeof fetch;
}): PanelProvider {
  const base = withSlash(options.panelUrl);
  let known: { answer: Promise<Metadata>; until: number } | undefined;
  let keys: { uri: string; find: ReturnType<typeof createRemoteJWKSet>; until: number } | undefined;

  async function call<Shape extends z.ZodType>(
    url: string,
    shape: Shape,
    init: RequestInit = {},
  ): Promise<z.infer<Shape>> {
    const response = await options.fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json().catch(() => undefined);
    const parsed = shape.safeParse(body);
    if (response.ok && parsed.success) return parsed.data;
    throw new SignInError(`The panel answered ${response.status} to ${new URL(url).pathname}`);
  }

  async function readMetadata(): Promise<Metadata> {
    const answer = await call(new URL('.well-known/oauth-authorization-server', base).href, metadataShape);
    // RFC 8414, section 3.3: or else another provider could pass for the panel.
    if (withSlash(answer.issuer) === withSlash(options.issuer)) return answer;
    throw new SignInError(
      `The panel at ${options.panelUrl} calls itself ${answer.issuer}, not ${options.issuer}`,
    );
  }

  async function metadata(): Promise<Metadata> {
    const now = elapsedBy(options.clock);
    if (!known || known.until <= now) known = { answer: readMetadata(), until: now + keptMs };
    return known.answer.catch((error: unknown) => {
      known = undefined;
      throw error;
    });
  }

  /** Asks again when a kid is unknown, so a rotation of the panel's keys needs nothing here. */
  function keysAt(uri: string) {
    // jose counts by the time of day: of one that was set back it would wait for hours to ask again.
    const now = elapsedBy(options.clock);
    if (keys?.uri !== uri || keys.until <= now) {
      const find = createRemoteJWKSet(new URL(uri), {
        cacheMaxAge: keptMs,
        timeoutDuration: timeoutMs,
        [customFetch]: options.fetch,
      });
      keys = { uri, find, until: now + keptMs };
    }
    return keys.find;
  }

  return {
    metadata,
    async exchange({ clientId, redirectUri, code, verifier, nonce }) {
      const { issuer, token_endpoint: endpoint, jwks_uri: jwksUri } = await metadata();
      const { id_token: assertion } = await call(endpoint, tokensShape, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri,
          client_id: clientId,
          code_verifier: verifier,
        }),
      });
      const { payload } = await jwtVerify(assertion, keysAt(jwksUri), {
        issuer,
        audience: clientId,
        algorithms: ['ES256', 'EdDSA'],
        clockTolerance: clockToleranceSeconds,
        currentDate: options.clock.now(),
        requiredClaims: ['exp', 'iat', 'sub', 'nonce'],
      });
      const claims = claimsShape.safeParse(payload);
      if (!claims.success || claims.data.nonce !== nonce) {
        throw new SignInError('The panel answered for another sign-in');
      }
      const { nonce: _nonce, ...user } = claims.data;
      return user;
    },
  };
}

function withSlash(url: string): string {
  const { href } = new URL(url);
  return href.endsWith('/') ? href : `${href}/`;
}
