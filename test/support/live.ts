import type { FormattedExecutionResult } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';

/** A dashboard's end of a subscription: what came, in order, and a way to wait for more. */
export class Live<Data = Record<string, unknown>> implements AsyncDisposable {
  readonly results: FormattedExecutionResult<Data, { cursor?: string }>[] = [];
  error: unknown;
  isComplete = false;
  private waiting: (() => void)[] = [];
  private readonly client: Client;
  private readonly acknowledged: Promise<void>;
  private readonly unsubscribe: () => void;

  constructor(
    url: string,
    token: string | undefined,
    query: string,
    options: { variables?: Record<string, unknown>; after?: string | undefined } = {},
  ) {
    let acknowledge: () => void = () => undefined;
    this.acknowledged = new Promise((resolve) => (acknowledge = resolve));
    this.client = createClient({
      url: `${url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      on: { connected: () => acknowledge() },
      ...(token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } }),
    });
    this.unsubscribe = this.client.subscribe<Data, { cursor?: string }>(
      {
        query,
        variables: options.variables ?? {},
        ...(options.after === undefined ? {} : { extensions: { after: options.after } }),
      },
      {
        next: (result) => {
          this.results.push(result);
          this.wake();
        },
        error: (error) => {
          this.error = error;
          this.wake();
        },
        complete: () => {
          this.isComplete = true;
          this.wake();
        },
      },
    );
  }

  /** Resolves once the panel has taken the subscription up: events from then on are delivered. */
  async opened(): Promise<void> {
    await this.acknowledged;
    // The server takes messages of one socket in order, so a later operation's answer means that it has subscribed.
    await new Promise<void>((resolve, reject) => {
      this.client.subscribe(
        { query: '{ __typename }' },
        { next: () => undefined, error: reject, complete: resolve },
      );
    });
  }

  get firstErrorCode(): unknown {
    return this.firstError?.['code'];
  }

  get firstErrorReason(): unknown {
    return this.firstError?.['reason'];
  }

  private get firstError(): Record<string, unknown> | undefined {
    const errors = Array.isArray(this.error)
      ? (this.error as { extensions?: Record<string, unknown> }[])
      : [];
    const found = errors[0] ?? this.results[0]?.errors?.[0];
    return found?.extensions;
  }

  /** The code that the panel closed the socket with. */
  get closeCode(): unknown {
    return typeof this.error === 'object' && this.error !== null && 'code' in this.error
      ? this.error.code
      : undefined;
  }

  get lastCursor(): string | undefined {
    return this.results.at(-1)?.extensions?.cursor;
  }

  /** Resolves when `count` results have come, or rejects when the subscription ends first or takes too long. */
  async received(
    count: number,
    withinMs = 20_000,
  ): Promise<FormattedExecutionResult<Data, { cursor?: string }>[]> {
    await this.until(() => this.results.length >= count, withinMs, `${count} events`);
    return this.results;
  }

  /** Resolves when what came last is so. */
  async untilLatest(isSo: (live: this) => boolean, withinMs = 20_000): Promise<void> {
    await this.until(() => isSo(this), withinMs, 'the awaited event');
  }

  async ended(withinMs = 20_000): Promise<void> {
    await this.until(() => this.isComplete || this.error !== undefined, withinMs, 'the end');
  }

  async close(): Promise<void> {
    this.unsubscribe();
    await this.client.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async until(isDone: () => boolean, withinMs: number, what: string): Promise<void> {
    const end = Date.now() + withinMs;
    while (!isDone()) {
      const left = end - Date.now();
      if (left <= 0)
        throw new Error(`waited ${withinMs} ms for ${what}; got ${JSON.stringify(this.results)}`);
      if (this.error && what !== 'the end')
        throw new Error(`the subscription failed: ${JSON.stringify(this.error)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}
