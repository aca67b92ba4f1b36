export type Labels = Record<string, string>;

/**
 * One thing for each set of values of the labels, made when it is first asked for. Found by the values themselves: making
 * one text of them for each request cost more than what is counted.
 */
export class Series<Kept> {
  private readonly root = new Map<string, unknown>();
  private readonly kept: { labels: Labels; kept: Kept }[] = [];

  constructor(
    private readonly names: readonly string[],
    private readonly make: () => Kept,
  ) {}

  at(labels: Labels): Kept {
    let level = this.root;
    const last = this.names.length - 1;
    for (let at = 0; at < last; at += 1) {
      const value = labels[this.names[at]!]!;
      let next = level.get(value) as Map<string, unknown> | undefined;
      if (!next) level.set(value, (next = new Map()));
      level = next;
    }
    const value = last < 0 ? '' : labels[this.names[last]!]!;
    let kept = level.get(value) as Kept | undefined;
    if (kept === undefined) {
      kept = this.make();
      level.set(value, kept);
      this.kept.push({ labels, kept });
    }
    return kept;
  }

  /** Each with its labels, in the order in which they were first asked for. */
  all(): readonly { labels: Labels; kept: Kept }[] {
    return this.kept;
  }
}
