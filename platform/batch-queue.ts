/** What became of one item of a batch. */
export type Outcome<Answer> = { answer: Answer } | { error: unknown };

export interface BatchQueueOptions<Item, Answer> {
  /** The most items that one flush takes. */
  batchSize: number;
  /** The most items that wait; more are refused. */
  capacity: number;
  /** Stores a batch; answers one outcome for each item, in order. */
  flush: (batch: readonly Item[]) => Promise<readonly Outcome<Answer>[]>;
  /** What an item is refused with when the queue is full, or has been closed. */
  refuse: (why: 'full' | 'closed', waiting: number) => Error;
}

interface Waiting<Item, Answer> {
  item: Item;
  since: number;
  settle: (outcome: Outcome<Answer>) => void;
}

/**
 * Gathers items that come one by one into batches, and answers each when its batch is stored. There is no timer: an
 * item that finds the queue idle goes at once, and what comes while a flush is under way goes together in the next.
 * One flush at a time keeps the order in which items came.
 */
export class BatchQueue<Item, Answer> {
  private waiting: Waiting<Item, Answer>[] = [];
  private flushing: Promise<void> | undefined;
  /** Since when the oldest item of the batch that is being stored has waited. */
  private underWaySince: number | undefined;
  private isClosed = false;

  constructor(private readonly options: BatchQueueOptions<Item, Answer>) {}

  /** How many wait, without those that are being stored. */
  get size(): number {
    return this.waiting.length;
  }

  /** For how long the oldest item has waited that is not stored yet, in seconds; 0 when there is none. */
  get oldestSeconds(): number {
    const since = this.underWaySince ?? this.waiting[0]?.since;
    return since === undefined ? 0 : (performance.now() - since) / 1000;
  }

  async add(item: Item): Promise<Answer> {
    if (this.isClosed) throw this.options.refuse('closed', this.waiting.length);
    if (this.waiting.length >= this.options.capacity) throw this.options.refuse('full', this.waiting.length);
    const outcome = await new Promise<Outcome<Answer>>((settle) => {
      this.waiting.push({ item, since: performance.now(), settle });
      this.flushing ??= this.drain();
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.answer;
  }

  /** Takes nothing more, and stores what waits. */
  async stop(): Promise<void> {
    this.isClosed = true;
    await this.flushing;
  }

  private async drain(): Promise<void> {
    // The requests of one turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.options.batchSize);
      this.underWaySince = batch[0]?.since;
      const outcomes = await this.flushed(batch);
      for (const [at, { settle }] of batch.entries()) {
        settle(outcomes[at] ?? { error: new Error('a flush answers for every item') });
      }
    }
    this.underWaySince = undefined;
    this.flushing = undefined;
  }

  private async flushed(batch: readonly Waiting<Item, Answer>[]): Promise<readonly Outcome<Answer>[]> {
    try {
      return await this.options.flush(batch.map(({ item }) => item));
    } catch (error) {
      return batch.map(() => ({ error }));
    }
  }
}
