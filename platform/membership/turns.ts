/** The code of the error for whose turn has not come in time: nothing was done for it. */
export const noTurn = 'NO_TURN';

export interface TurnPatience {
  /** How many may wait. */
  waiting?: number;
  waitMs?: number;
}

/** Lets so many do their work at a time; the others wait, first come first served, and no longer than they may. */
export class Turns {
  private free: number;
  private readonly waiting = new Set<() => void>();

  constructor(
    atOnce: number,
    private readonly patience: TurnPatience = {},
  ) {
    this.free = atOnce;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await this.turn();
    try {
      return await work();
    } finally {
      const [next] = this.waiting;
      if (next) next();
      else this.free += 1;
    }
  }

  private async turn(): Promise<void> {
    const { waiting = Infinity, waitMs } = this.patience;
    if (this.waiting.size >= waiting) throw late('Too many wait for their turn already');
    await new Promise<void>((resolve, reject) => {
      const take = (): void => {
        this.waiting.delete(take);
        clearTimeout(timer);
        resolve();
      };
      const timer =
        waitMs === undefined
          ? undefined
          : setTimeout(() => {
              this.waiting.delete(take);
              reject(late(`No turn within ${waitMs} ms`));
            }, waitMs);
      this.waiting.add(take);
    });
  }
}

function late(message: string): Error {
  return Object.assign(new Error(message), { code: noTurn });
}
