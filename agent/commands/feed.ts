import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { z } from 'zod';

import type { AgentLogger } from '../logger.js';
import { Backoff } from '../pace.js';
import { commandShape, type AgentCommand } from '../protocol.js';

export interface CommandFeedOptions {
  readonly panelUrl: string;
  readonly credential: () => string | undefined;
  readonly onCommand: (command: AgentCommand) => void;
  readonly logger: AgentLogger;
}

const eventShape = z.object({ commandsFor: z.array(commandShape) });

/**
 * Hears of commands as they are sent, over the panel's GraphQL subscription. Beats bring every command as well, so
 * nothing depends on it: where no WebSocket gets through, commands wait for the next beat.
 */
export class CommandFeed {
  private client: Client | undefined;

  constructor(private readonly options: CommandFeedOptions) {}

  /** Does nothing while it listens already. */
  start(): void {
    if (this.client) return;
    const { panelUrl, credential, logger } = this.options;
    const backoff = new Backoff(Math.random);
    const client = createClient({
      url: new URL('graphql', panelUrl.endsWith('/') ? panelUrl : `${panelUrl}/`).href.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
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

  async stop(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.dispose();
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
