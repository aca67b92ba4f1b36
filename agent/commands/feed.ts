import type { Agent } from 'node:http';

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
  /** By which the WebSocket goes out; directly without it. */
  readonly socketAgent?: Agent | undefined;
  /** A panel pings every 12 s: one of which nothing was heard for this long is there no more. A minute unless told. */
  readonly silentMs?: number;
  /** Over how long, after a second, nodes come back that have lost it together; 15 seconds unless told. */
  readonly returnOverMs?: number;
  /** How long the panel, or a proxy before it, may take to answer; 15 seconds unless told. */
  readonly handshakeMs?: number;
}

const eventShape = z.object({ commandsFor: z.array(commandShape) });

/**
 * Hears of commands as they are sent, over the panel's GraphQL subscription. Beats bring every command as well, so
 * nothing depends on it: where no WebSocket gets through, commands wait for the next beat.
 */
export class CommandFeed {
  private client: Client | undefined;
  private readonly sockets = new Set<WebSocket>();
  /** Whether it was said that nothing is heard here. */
  private isDeaf = false;

  constructor(private readonly options: CommandFeedOptions) {}

  /** Does nothing while it listens already. */
  start(): void {
    if (this.client) return;
    const { panelUrl, credential, logger, random = Math.random, returnOverMs = 15_000 } = this.options;
    const { silentMs = 60_000, handshakeMs = 15_000, socketAgent: agent } = this.options;
    const backoff = new Backoff(random, returnOverMs);
    const { sockets } = this;
    class Socket extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols, { handshakeTimeout: handshakeMs, agent });
        sockets.add(this);
        // What a proxy has let through and then says nothing is no handshake yet to the timeout of that.
        let silence = setTimeout(() => this.terminate(), 2 * handshakeMs).unref();
        // Whoever only listens would never learn that the way has gone: after a sleep, or by a router that forgot it.
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
      on: {
        connected: () => {
          backoff.reset();
          if (this.isDeaf) logger.info({}, 'Commands come at once again');
          this.isDeaf = false;
        },
        error: (error) => this.deaf(client, error),
        closed: (event) => this.deaf(client, event),
      },
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

  /** Nothing depends on it, so it is told once, and once more when it is over. */
  private deaf(client: Client, why: unknown): void {
    if (this.isDeaf || this.client !== client) return;
    this.isDeaf = true;
    const { message, reason, code } = why as { message?: string; reason?: string; code?: number };
    this.options.logger.info(
      { reason: message || reason || `closed with ${code}` },
      'Commands come with beats only for now',
    );
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
