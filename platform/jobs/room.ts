/** Whose work it is, or where, and how many pieces of that a process does at a time. */
export interface Share {
  of: string;
  most: number;
}

/**
 * Room among the jobs of one kind in a process: fewer for each share than the process does of the kind, so that whoever
 * takes a call and says nothing holds up no other, and whoever has much under way leaves room.
 */
export class Room {
  private readonly underWay = new Map<string, number>();

  /** Does the work where there is room for it in each of its shares now; whether there was. */
  async run(shares: readonly Share[], work: () => Promise<void>): Promise<boolean> {
    if (shares.some(({ of, most }) => this.count(of) >= most)) return false;
    this.add(shares, 1);
    try {
      await work();
    } finally {
      this.add(shares, -1);
    }
    return true;
  }

  private count(of: string): number {
    return this.underWay.get(of) ?? 0;
  }

  private add(shares: readonly Share[], more: number): void {
    for (const { of } of shares) {
      const count = this.count(of) + more;
      if (count > 0) this.underWay.set(of, count);
      else this.underWay.delete(of);
    }
  }
}
