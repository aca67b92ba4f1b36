import { setTimeout as sleep } from 'node:timers/promises';

import { Agent, request } from 'undici';

/** What became of the requests of a kind. */
export class Tally {
  answered = 0;
  readonly errors = new Map<string, number>();
  /** From when each was due until its answer was read, in milliseconds. */
  latencies: number[] = [];

  fail(what: string): void {
    this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
  }
}

export interface Asked {
  method: 'GET' | 'POST';
  path: string;
  token: string;
  from: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/**
 * Requests that begin when they are due, whatever became of those before: who waits in a queue waits in the figures too.
 */
export class Traffic {
  private isOver = false;
  private readonly agent: Agent;
  private readonly open = new Set<Promise<unknown>>();
  private readonly loops: Promise<void>[] = [];

  constructor(
    private readonly url: string,
    connections: number,
  ) {
    this.agent = new Agent({ connections, pipelining: 1, keepAliveTimeout: 60_000 });
  }

  /** Calls `work` at `firstMs` and then each `everyMs`, by the clock. */
  every(firstMs: number, everyMs: number, work: (turn: number, due: number) => Promise<unknown>): void {
    const begun = performance.now();
    const loop = async () => {
      for (let turn = 0; ; turn += 1) {
        const due = begun + firstMs + turn * everyMs;
        await sleep(Math.max(0, due - performance.now()));
        if (this.isOver) return;
        const one = work(turn, due).finally(() => this.open.delete(one));
        this.open.add(one);
      }
    };
    this.loops.push(loop());
  }

  /** Begins nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.loops);
    await Promise.all(this.open);
    await this.agent.close();
  }

  /** The answer, or undefined where there was none or it was an error: both are in the tally. */
  async ask(
    tally: Tally,
    due: number,
    { method, path, token, from, body, headers = {} }: Asked,
  ): Promise<Record<string, unknown> | undefined> {
    try {
      const answer = await request(`${this.url}${path}`, {
        dispatcher: this.agent,
        method,
        headers: {
          authorization: `Bearer ${token}`,
          'x-forwarded-for': from,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: 15_000,
        bodyTimeout: 15_000,
      });
      const text = await answer.body.text();
      tally.latencies.push(performance.now() - due);
      tally.answered += 1;
      if (answer.statusCode < 300) return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      tally.fail(`${answer.statusCode} ${method} ${path.replace(/[a-z]+_[0-9a-z]{20,}/g, ':id')}`);
    } catch (error) {
      tally.fail(`${method} ${path}: ${(error as Error).message}`);
    }
    return undefined;
  }
}
