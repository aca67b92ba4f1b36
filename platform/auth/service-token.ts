import type { Clock } from '../clock.js';
import type { Keyring } from '../secrets/keyring.js';
import { signToken, type SigningKey } from './tokens.js';

/** Carries the gateway's own token to a subgraph at another address, beside the client's. */
export const gatewayTokenHeader = 'x-gateway-token';
export const gatewayService = 'gateway';

const lifetimeSeconds = 60;
// The gateway belongs to no tenant; no tenant has this id.
const noTenant = '-';

/** Signs the tokens that the panel's own areas act by, with a key that all its processes derive from SECRETS_KEY. */
export class ServiceTokens {
  private readonly key: SigningKey;
  private gateway: { token: string; until: number } | undefined;

  constructor(
    keyring: Keyring,
    private readonly issuer: string,
    private readonly clock: Clock,
  ) {
    const [newest] = keyring.derive('service');
    this.key = { kid: newest.kid, alg: 'EdDSA', privateKey: newest.privateKey };
  }

  /** A token of one minute for an area that acts for a tenant, with just these permissions. */
  async issue(
    service: string,
    tenantId: string,
    permissions: readonly string[],
    actor?: string,
  ): Promise<string> {
    return signToken(
      'service',
      this.key,
      {
        sub: `svc:${service}`,
        tenant: tenantId,
        permissions: [...permissions],
        ...(actor === undefined ? {} : { act: { sub: actor } }),
      },
      { issuer: this.issuer, now: this.clock.now(), lifetimeSeconds },
    );
  }

  /** The gateway's own token, signed anew when half of its minute is over. */
  async forGateway(): Promise<string> {
    const now = this.clock.now().getTime();
    if (!this.gateway || this.gateway.until <= now) {
      const token = await this.issue(gatewayService, noTenant, []);
      this.gateway = { token, until: now + (lifetimeSeconds / 2) * 1000 };
    }
    return this.gateway.token;
  }
}
