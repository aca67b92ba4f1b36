const free = 30;
const freePerSecond = 1;

/**
 * How many messages a socket may send besides its operations, which are charged for themselves: pings and pongs of both
 * protocols, for the most part. What comes faster than a client's keep-alive ever does is charged as operations are.
 */
export class MessageAllowance {
  private left = free;
  private at = performance.now();

  constructor(
    private readonly pay: () => Promise<boolean>,
    private readonly onSpent: () => void,
  ) {}

  /** For each message and each control frame. */
  take(): void {
    const now = performance.now();
    this.left = Math.min(free, this.left + ((now - this.at) / 1000) * freePerSecond);
    this.at = now;
    if (this.left >= 1) {
      this.left -= 1;
      return;
    }
    this.pay()
      // Who pays is not known now, and they may well be somebody who has paid.
      .catch(() => true)
      .then((isPaid) => (isPaid ? undefined : this.onSpent()))
      .catch(() => undefined);
  }

  giveBack(messages: number): void {
    this.left += messages;
  }
}
