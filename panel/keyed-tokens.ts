import type { Gateway } from '#gateway/gateway.js';
import { addressKey } from '#gateway/rate-limit/address-key.js';
import type { RateLimits } from '#gateway/rate-limit/rate-limits.js';
import type { Verify } from '#gateway/standing-token.js';
import { ApiKeyExchange, exchangePermission, type KeyGuesses } from '#platform/auth/api-key-exchange.js';
import { gatewayService, type ServiceTokens } from '#platform/auth/service-token.js';
import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import { ApiError } from '#platform/errors.js';
import type { ExchangeContext } from '#platform/request-context.js';

// The gateway acts for no tenant: identity finds the key's.
const noTenant = '-';

export interface KeyedTokensOptions {
  gateway: () => Gateway;
  tokens: ServiceTokens;
  verifier: TokenVerifier;
  limits: RateLimits;
  clock: Clock;
}

/** Lets API keys pass for tokens at one gateway. */
export class KeyedTokens {
  readonly exchanged: ExchangeContext;
  private readonly verifier: TokenVerifier;

  constructor({ gateway, tokens, verifier, limits, clock }: KeyedTokensOptions) {
    this.verifier = verifier;
    const exchange = new ApiKeyExchange(
      (operation) => gateway().execute(operation),
      () => tokens.issue(gatewayService, noTenant, [exchangePermission]),
      clock,
      guessesBy(limits),
    );
    this.exchanged = exchange.exchanged;
  }

  /** For sockets, which outlive the token that a key is exchanged for. Throws where it can not be said now. */
  readonly verify: Verify = async (authorization, { clientAddress }) => {
    const context = await this.exchanged({ requestId: '', clientAddress, authorization });
    try {
      const viewer = await this.verifier.verify(context.authorization);
      return viewer.kind === 'api-key' ? { ...viewer, expiresAt: viewer.keyExpiresAt } : viewer;
    } catch (error) {
      if (error instanceof ApiError && ['UNAUTHENTICATED', 'FORBIDDEN'].includes(error.code)) return error;
      throw error;
    }
  };
}

/** Keys that are none draw on what an address may guess of them, and good ones on nothing. */
function guessesBy(limits: RateLimits): KeyGuesses {
  return {
    isSpent: async (address) => (await limits.draw('api-key', addressKey(address), 0)).remaining === 0,
    spend: async (address) => void (await limits.draw('api-key', addressKey(address))),
  };
}
