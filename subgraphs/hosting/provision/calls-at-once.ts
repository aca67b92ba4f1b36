export interface Most {
  /** At one provider. */
  atProvider: number;
  /** Of one tenant there. */
  ofTenant: number;
}

/**
 * How many pieces of work a process does at a time at one provider, and for one tenant there: fewer than it does of the kind,
 * so that a provider that takes a call and says nothing holds up no other, and whoever has much under way leaves room.
 */
export class CallsAtOnce {
  private readonly underWay = new Map<string, number>();

  constructor(private readonly most: Most) {}

  /** Does the work where there is room for it now; whether there was. */
  async run(
    { provider, tenantId }: { provider: string; tenantId: string },
    work: () => Promise<void>,
  ): Promise<boolean> {
    const ofTenant = `${provider} ${tenantId}`;
    if (this.count(provider) >= this.most.atProvider || this.count(ofTenant) >= this.most.ofTenant)
      return false;
    this.add(1, provider, ofTenant);
    try {
      await work();
    } finally {
      this.add(-1, provider, ofTenant);
    }
    return true;
  }

  private count(key: string): number {
    return this.underWay.get(key) ?? 0;
  }

  private add(more: number, ...keys: string[]): void {
    for (const key of keys) {
      const count = this.count(key) + more;
      if (count > 0) this.underWay.set(key, count);
      else this.underWay.delete(key);
    }
  }
}
