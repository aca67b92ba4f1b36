import type { Gateway } from '#gateway/gateway.js';
import type { Verify } from '#gateway/websocket.js';
import { ApiKeyExchange, exchangePermission } from '#platform/auth/api-key-exchange.js';
import { gatewayService, type ServiceTokens } from '#platform/auth/service-token.js';
import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import type { ExchangeContext } from '#platform/request-context.js';

// The gateway acts for no tenant: identity finds the key's.
const noTenant = '-';

/** Lets API keys pass for tokens at one gateway. */
export class KeyedTokens {
  readonly exchanged: ExchangeContext;

  constructor(
    gateway: () => Gateway,
    tokens: ServiceTokens,
    private readonly verifier: TokenVerifier,
    clock: Clock,
  ) {
    const exchange = new ApiKeyExchange(
      (operation) => gateway().execute(operation),
      () => tokens.issue(gatewayService, noTenant, [exchangePermission]),
      clock,
    );
    this.exchanged = exchange.exchanged;
  }

  /** For sockets, which outlive the token that a key is exchanged for. */
  readonly verify: Verify = async (authorization) => {
    const context = await this.exchanged({ requestId: '', clientAddress: '', authorization });
    const viewer = await this.verifier.verify(context.authorization);
    return viewer.kind === 'api-key' ? { ...viewer, expiresAt: viewer.keyExpiresAt } : viewer;
  };
}
