const everyMs = 5_000;
// A replica that is this far behind is read no more, give or take the time between two looks.
const mostLagMs = 5_000;

/**
 * How far behind a replica may be whatever its readers were told of: who was told of nothing would read it however old,
 * and take a node for silent whose beats it lacks. The primary's position of five to ten seconds ago.
 */
export class ReadFloor {
  private floor = '';
  private isKnown = false;
  private forgottenAt = 0;
  private looks: { position: string; at: number }[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    /** The primary's position, as text that sorts; undefined where it does not say. */
    private readonly ask: () => Promise<string | undefined>,
  ) {}

  async start(): Promise<void> {
    this.timer = setInterval(() => void this.look(), everyMs).unref();
    await this.look();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** What others have told may be lost: a replica has to have all up to now. */
  forget(): void {
    this.isKnown = false;
    this.forgottenAt = performance.now();
    void this.look();
  }

  /** Undefined while it is not known. */
  get position(): string | undefined {
    if (!this.isKnown) return undefined;
    this.age();
    return this.floor;
  }

  private age(): void {
    const old = performance.now() - mostLagMs;
    for (const { position, at } of this.looks) if (at <= old) this.raise(position);
    this.looks = this.looks.filter(({ at }) => at > old);
  }

  private async look(): Promise<void> {
    this.age();
    const at = performance.now();
    const position = await this.ask().catch(() => undefined);
    // The next look is soon enough.
    if (position === undefined) return;
    if (this.isKnown || at < this.forgottenAt) {
      this.looks.push({ position, at });
      return;
    }
    this.raise(position);
    this.isKnown = true;
  }

  private raise(position: string): void {
    if (position > this.floor) this.floor = position;
  }
}
