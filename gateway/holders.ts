import { addressKey } from './rate-limit/address-key.js';
import type { Verified } from './standing-token.js';

export interface HolderLimits {
  /** Of one address that have not signed in, or not yet. */
  anonymousPerAddress: number;
  /** Of one tenant: its people, programs and delegates together. */
  perTenant: number;
  /** Of one node. */
  perNode: number;
}

/**
 * Counts what each address, tenant and node holds open here. Nobody pays for it once it is open, and it costs for as long:
 * no one of them is to have all that a process can hold.
 */
export class Holders {
  private readonly counts = new Map<string, number>();
  private readonly inside = new WeakMap<object, string>();

  constructor(private readonly limits: HolderLimits) {}

  /** False where its address has too many already that have not signed in. */
  enter(holder: object, clientAddress: string): boolean {
    return this.count(holder, `address ${addressKey(clientAddress)}`, this.limits.anonymousPerAddress);
  }

  /** From now on it counts among those of whoever has signed in. False where these are too many already. */
  signIn(holder: object, { kind, tenantId, instanceId }: Verified): boolean {
    this.leave(holder);
    return kind === 'node'
      ? this.count(holder, `node ${instanceId}`, this.limits.perNode)
      : this.count(holder, `tenant ${tenantId}`, this.limits.perTenant);
  }

  /** When it ends. Also for one that was never inside. */
  leave(holder: object): void {
    const key = this.inside.get(holder);
    if (key === undefined) return;
    this.inside.delete(holder);
    const count = this.counts.get(key) ?? 0;
    if (count > 1) this.counts.set(key, count - 1);
    else this.counts.delete(key);
  }

  private count(holder: object, key: string, most: number): boolean {
    const count = this.counts.get(key) ?? 0;
    if (count >= most) return false;
    this.counts.set(key, count + 1);
    this.inside.set(holder, key);
    return true;
  }
}
