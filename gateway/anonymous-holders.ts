import type { RequestContext } from '#platform/request-context.js';

import { addressKey } from './rate-limit/address-key.js';

interface Holder {
  readonly base: Pick<RequestContext, 'clientAddress'>;
}

/** Counts what each address holds open without having signed in, or not yet: it costs, and nobody pays for it. */
export class AnonymousHolders {
  private readonly counts = new Map<string, number>();
  private readonly inside = new WeakSet<Holder>();

  constructor(private readonly most: number) {}

  /** False where its address has too many already. */
  enter(holder: Holder): boolean {
    const key = addressKey(holder.base.clientAddress);
    const count = this.counts.get(key) ?? 0;
    if (count >= this.most) return false;
    this.counts.set(key, count + 1);
    this.inside.add(holder);
    return true;
  }

  /** When it signs in, or ends. May be called for both, and for one that was never inside. */
  leave(holder: Holder): void {
    if (!this.inside.delete(holder)) return;
    const key = addressKey(holder.base.clientAddress);
    const count = this.counts.get(key) ?? 0;
    if (count > 1) this.counts.set(key, count - 1);
    else this.counts.delete(key);
  }
}
