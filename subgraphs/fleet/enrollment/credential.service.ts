import { signToken, type SigningKey } from '#platform/auth/tokens.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { NodeViewer } from '#platform/viewer.js';

const day = 24 * 60 * 60;
const lifetimeSeconds = 30 * day;
const renewBeforeSeconds = 10 * day;

/** Signs the credentials of nodes: JWTs that name the instance, its tenant and a generation. */
export class CredentialService {
  private readonly key: SigningKey;

  constructor(
    keyring: Keyring,
    private readonly issuer: string,
  ) {
    const [newest] = keyring.derive('agent');
    this.key = { kid: newest.kid, alg: 'EdDSA', privateKey: newest.privateKey };
  }

  async issue(
    node: { instanceId: string; tenantId: string; generation: number },
    now: Date,
  ): Promise<string> {
    return signToken(
      'node',
      this.key,
      { sub: node.instanceId, tenant: node.tenantId, gen: node.generation },
      { issuer: this.issuer, now, lifetimeSeconds },
    );
  }

  /** A new credential when the one in use is near its end, or ended within the days of grace. */
  async renewal(node: NodeViewer, now: Date): Promise<string | null> {
    const left = node.credentialExpiresAt - now.getTime() / 1000;
    return left > renewBeforeSeconds ? null : this.issue(node, now);
  }
}
