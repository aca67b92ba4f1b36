import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { z } from 'zod';

import type { AgentLogger } from '../logger.js';
import { Backoff } from '../pace.js';
import { commandShape, type AgentCommand } from '../protocol.js';
import type { Random } from '../random.js';

export interface CommandFeedOptions {
  readonly panelUrl: string;
  readonly credential: () => string | undefined;
  readonly onCommand: (command: AgentCommand) => void;
  readonly logger: AgentLogger;
  readonly random?: Random;
  /** A panel pings every 12 s: one of which nothing was heard for this long is there no more. A minute unless told. */
  readonly silentMs?: number;
  /** Over how long, after a second, nodes come back that have lost it together; 15 seconds unless told. */
  readonly returnOverMs?: number;
}

/** How long the panel may take to answer the upgrade to a WebSocket. */
const handshakeMs = 15_000;

const eventShape = z.object({ commandsFor: z.array(commandShape) });

/**
 * Hears of commands as they are sent, over the panel's GraphQL subscription. Beats bring every command as well, so
 * nothing depends on it: where no WebSocket gets through, commands wait for the next beat.
 */
export class CommandFeed {
  private client: Client | undefined;
  private readonly sockets = new Set<WebSocket>();

  constructor(private readonly options: CommandFeedOptions) {}

  /** Does nothing while it listens already. */
  start(): void {
    if (this.client) return;
    const { panelUrl, credential, logger, random = Math.random, returnOverMs = 15_000 } = this.options;
    const { silentMs = 60_000 } = this.options;
    const backoff = new Backoff(random, returnOverMs);
    const { sockets } = this;
    class Socket extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols, { handshakeTimeout: handshakeMs });
        sockets.add(this);
        // Whoever only listens would never learn that the way has gone: after a sleep, or by a router that forgot it.
        let silence: NodeJS.Timeout | undefined;
        const heard = () => {
          clearTimeout(silence);
          silence = setTimeout(() => this.terminate(), silentMs).unref();
        };
        for (const sign of ['open', 'ping', 'message']) this.on(sign, heard);
        this.once('close', () => {
          clearTimeout(silence);
          sockets.delete(this);
        });
      }
    }
    const client = createClient({
      url: new URL('graphql', panelUrl.endsWith('/') ? panelUrl : `${panelUrl}/`).href.replace(/^http/, 'ws'),
      webSocketImpl: Socket,
      connectionParams: () => ({ authorization: `Bearer ${credential() ?? ''}` }),
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true,
      retryWait: async () => new Promise((resolve) => setTimeout(resolve, 1_000 + backoff.next()).unref()),
      on: { connected: () => backoff.reset() },
    });
    this.client = client;
    // Where the panel says no for good, the next accepted beat tries again.
    const over = (reason?: unknown) => {
      if (reason !== undefined) logger.debug({ err: reason }, 'Commands come with beats only for now');
      if (this.client === client) this.client = undefined;
    };
    client.subscribe(
      { query: 'subscription { commandsFor { id command params lease } }' },
      { next: ({ data }) => this.take(data), error: over, complete: () => over() },
    );
  }

  stop(): void {
    const { client } = this;
    this.client = undefined;
    // It waits for a handshake under way, which may never end; it comes to its end when the socket does.
    void (async () => client?.dispose())().catch(() => undefined);
    for (const socket of this.sockets) socket.terminate();
  }

  private take(data: unknown): void {
    const parsed = eventShape.safeParse(data);
    if (!parsed.success) return;
    // GraphQL writes the kinds in capitals, REST in small letters.
    for (const command of parsed.data.commandsFor) {
      this.options.onCommand({ ...command, command: command.command.toLowerCase() });
    }
  }
}
