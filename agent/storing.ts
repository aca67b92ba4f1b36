import type { AgentLogger } from './logger.js';

/** Tells once that something can not be stored, and once more when it can: a full disk is full at each try. */
export class Storing {
  #problem: string | undefined;

  constructor(
    private readonly log: AgentLogger,
    private readonly of: { file: string; failed: string; again: string },
  ) {}

  /** Why it can not be stored; undefined while it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  failed(error: unknown): void {
    const { file, failed } = this.of;
    if (this.#problem === undefined) this.log.error({ err: error, file }, failed);
    this.#problem = error instanceof Error ? error.message : String(error);
  }

  worked(): void {
    const { file, again } = this.of;
    if (this.#problem !== undefined) this.log.info({ file }, again);
    this.#problem = undefined;
  }
}
