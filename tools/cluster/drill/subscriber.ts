import { setTimeout as sleep } from 'node:timers/promises';

import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const againAfterMs = 250;

interface Told {
  data?: { commandProgressed: { id: string } } | null;
  errors?: readonly { extensions?: { reason?: unknown } }[];
  extensions?: { cursor?: string };
}

/** A dashboard at one panel, which comes back to any of them from its last cursor. */
export class Subscriber {
  readonly heard = new Set<string>();
  reconnections = 0;
  /** When it connected, and after which cursor. */
  readonly connections: string[] = [];
  /** How often it was told to read anew, since events after its cursor were not kept. */
  expired = 0;
  private cursor: string | undefined;
  private isOver = false;
  private drop: (() => void) | undefined;
  private loop: Promise<void> | undefined;

  constructor(
    private readonly first: string,
    private readonly others: string,
    private readonly token: () => string,
  ) {}

  /** Resolves once it hears of events. */
  async start(): Promise<void> {
    let opened: () => void = () => undefined;
    const isOpen = new Promise<void>((resolve) => (opened = resolve));
    this.loop = this.follow(opened);
    await isOpen;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    this.drop?.();
    await this.loop;
  }

  private async follow(opened: () => void): Promise<void> {
    let url = this.first;
    while (!this.isOver) {
      await this.connect(url, opened);
      if (this.isOver) return;
      this.reconnections += 1;
      url = this.others;
      await sleep(againAfterMs);
    }
  }

  private async connect(url: string, opened: () => void): Promise<void> {
    const client = createClient({
      url: `${url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      // A process that is frozen, or whose machine is gone, says no word.
      keepAlive: 2_000,
      connectionParams: () => ({ authorization: `Bearer ${this.token()}` }),
      on: {
        ping: (isReceived) => {
          if (!isReceived) silence = setTimeout(() => client.terminate(), 4_000);
        },
        pong: (isReceived) => {
          if (isReceived) clearTimeout(silence);
        },
      },
    });
    let silence: NodeJS.Timeout | undefined;
    this.connections.push(`${new Date().toISOString()} after ${this.cursor ?? 'nothing'}`);
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(silence);
        void client.dispose();
        resolve();
      };
      this.drop = end;
      client.subscribe<{ commandProgressed: { id: string } }>(
        {
          query: 'subscription { commandProgressed { id } }',
          ...(this.cursor === undefined ? {} : { extensions: { after: this.cursor } }),
        },
        {
          next: (result) => this.hear(result as Told, end),
          error: (error) => {
            this.look(error);
            end();
          },
          complete: end,
        },
      );
      // One socket is answered in order: this says that the subscription stands.
      client.subscribe(
        { query: '{ __typename }' },
        { next: opened, error: () => undefined, complete: () => undefined },
      );
    });
  }

  private hear({ data, errors, extensions }: Told, end: () => void): void {
    if (data) this.heard.add(data.commandProgressed.id);
    this.cursor = extensions?.cursor ?? this.cursor;
    if (!errors) return;
    this.look(errors);
    end();
  }

  private look(error: unknown): void {
    const [first] = Array.isArray(error) ? (error as NonNullable<Told['errors']>) : [];
    if (first?.extensions?.reason !== 'CURSOR_EXPIRED') return;
    this.expired += 1;
    this.cursor = undefined;
  }
}
