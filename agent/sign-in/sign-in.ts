import { createHash, randomBytes } from 'node:crypto';

import { errors } from 'jose';

import type { Clock } from '../clock.js';
import { ExpiringMap } from './expiring-map.js';
import { SignInError, type PanelProvider, type SignedInUser } from './provider.js';

interface Attempt {
  state: string;
  nonce: string;
  verifier: string;
}

export const attemptMs = 15 * 60_000;

export interface SignInOptions {
  provider: PanelProvider;
  clock: Clock;
  redirectUri: string;
  /** The instance's id, which is the client's; undefined while the node has not enrolled. */
  clientId: () => string | undefined;
}

/** "Sign in with Quazzar Cloud" as the node sees it: authorization code with PKCE (RFC 6749, 7636, 9207, 9700). */
export class SignIn {
  private readonly attempts: ExpiringMap<Attempt>;

  constructor(private readonly options: SignInOptions) {
    this.attempts = new ExpiringMap(options.clock, { lifetimeMs: attemptMs, max: 1_000 });
  }

  /** Where the browser goes, the secret by which it is known again when it comes back, and what it comes back with. */
  async begin(): Promise<{ location: string; attemptId: string; state: string }> {
    const clientId = this.clientId();
    const attempt: Attempt = { state: random(), nonce: random(), verifier: random() };
    const { authorization_endpoint: endpoint } = await this.options.provider.metadata();
    const location = new URL(endpoint);
    location.search = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: this.options.redirectUri,
      scope: 'openid profile email',
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: createHash('sha256').update(attempt.verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }).toString();
    return { location: location.href, attemptId: this.attempts.add(attempt), state: attempt.state };
  }

  /** The browser came back; answers who it is. An attempt is good for one return. */
  async complete(attemptId: string | undefined, answer: URLSearchParams): Promise<SignedInUser> {
    const attempt = attemptId === undefined ? undefined : this.attempts.take(attemptId);
    // Without this a stranger's code could be slipped into the browser (RFC 9700, section 4.7).
    if (!attempt || answer.get('state') !== attempt.state) {
      throw new SignInError('This sign-in was not begun in this browser, or took too long');
    }
    const { issuer } = await this.options.provider.metadata();
    if (answer.get('iss') !== issuer) throw new SignInError('The answer comes from another panel');
    if (answer.get('error') === 'access_denied') throw new SignInError('You did not allow the sign-in');
    const code = answer.get('code');
    if (!code || answer.has('error')) throw new SignInError('The panel did not complete the sign-in');
    const { redirectUri } = this.options;
    const { verifier, nonce } = attempt;
    try {
      return await this.options.provider.exchange({
        clientId: this.clientId(),
        redirectUri,
        code,
        verifier,
        nonce,
      });
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new SignInError("The panel's assertion does not verify", { cause: error });
    }
  }

  private clientId(): string {
    const id = this.options.clientId();
    if (id === undefined) throw new SignInError('This node has not joined its panel yet');
    return id;
  }
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
