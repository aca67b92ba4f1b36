import type pg from 'pg';

import { GuardedClient } from './guarded-client.js';
import { waits } from './patience.js';

/** What a process does on its standing connection for as long as it has one. */
export interface Duty {
  /** Takes a lock or begins to listen; again on each new connection. */
  begin: (client: GuardedClient) => Promise<unknown>;
  /** What gives it up again. */
  end: (client: GuardedClient) => Promise<unknown>;
  /** Called when a connection on which it had begun was lost, with the reason if there is one. */
  lost?: (error: Error | undefined) => void;
}

/**
 * A connection that is kept, for what belongs to a session: LISTEN, and advisory locks that go with the process. It is
 * made when it is first needed. A heartbeat finds out within seconds that the server is frozen or the line is dead; it
 * is then made anew, and all duties are begun again.
 */
export class StandingConnection {
  private client: GuardedClient | undefined;
  private connecting: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private isStopped = false;
  private reason: Error | undefined;
  private readonly duties = new Set<Duty>();
  /** Those of them that have begun on the connection of now. */
  private readonly begun = new Set<Duty>();

  constructor(
    private readonly url: string,
    /** As the server's list of connections shows it. */
    private readonly name: string,
  ) {}

  /** Resolves when the duty has begun, or could not be for now; it is then begun as soon as it can be. */
  async take(duty: Duty): Promise<void> {
    this.duties.add(duty);
    if (this.isStopped || this.retry) return;
    if (!this.client || this.connecting) return (this.connecting ??= this.connect());
    const { client } = this;
    await this.begin(duty, client).catch((error: Error) => this.reconnect(client, error));
  }

  async giveUp(duty: Duty): Promise<void> {
    this.begun.delete(duty);
    if (!this.duties.delete(duty) || !this.client || this.connecting) return;
    await duty.end(this.client).catch(() => undefined);
  }

  /** Calls `hear` with what is sent on the channel, and `again` whenever something may have been missed. */
  async listen(
    channel: string,
    { hear, again, lost }: { hear: (payload: string) => void; again?: () => void; lost?: Duty['lost'] },
  ): Promise<() => Promise<void>> {
    const name = `"${channel}"`;
    const duty: Duty = {
      begin: async (client) => {
        client.on('notification', ({ channel: from, payload = '' }) => {
          if (from === channel && this.duties.has(duty)) hear(payload);
        });
        await client.query(`listen ${name}`);
        again?.();
      },
      end: async (client) => client.query(`unlisten ${name}`),
      ...(lost ? { lost } : {}),
    };
    await this.take(duty);
    return async () => this.giveUp(duty);
  }

  /** Runs a statement on it; fails where there is no connection just now. */
  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    if (!this.client)
      throw Object.assign(new Error('the standing connection is away', { cause: this.reason }), {
        code: 'ECONNRESET',
      });
    return (await this.client.query<Row>(text, values)).rows;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.retry);
    clearInterval(this.heartbeat);
    await this.client?.end().catch(() => undefined);
  }

  private async begin(duty: Duty, client: GuardedClient): Promise<void> {
    await duty.begin(client);
    // Its answer may be heard after the end of the connection that it came by.
    if (this.client !== client) duty.lost?.(this.reason);
    else if (this.duties.has(duty)) this.begun.add(duty);
  }

  private async connect(): Promise<void> {
    const client = new GuardedClient({ connectionString: this.url, application_name: this.name });
    client.answerWithin = waits.heartbeat;
    client.on('error', (error) => this.reconnect(client, error));
    client.on('end', () => this.reconnect(client, undefined));
    this.client = client;
    try {
      await client.connect();
      // One that is taken meanwhile comes at the end of the list.
      for (const duty of this.duties) await this.begin(duty, client);
      if (this.client !== client) return;
      clearInterval(this.heartbeat);
      this.heartbeat = setInterval(() => void this.beat(client), waits.heartbeatEvery).unref();
    } catch (error) {
      this.reconnect(client, error as Error);
    } finally {
      this.connecting = undefined;
    }
  }

  private async beat(client: GuardedClient): Promise<void> {
    // The client itself cuts a connection that does not answer.
    await client.query('select 1').catch(() => undefined);
  }

  private reconnect(client: GuardedClient, error: Error | undefined): void {
    if (this.isStopped || this.client !== client) return;
    this.client = undefined;
    this.reason = error;
    clearInterval(this.heartbeat);
    client.end().catch(() => undefined);
    // Also when others had not begun yet: what one thinks to have is gone all the same.
    for (const { lost } of this.begun) lost?.(error);
    this.begun.clear();
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.connecting ??= this.connect();
    }, waits.reconnect);
    this.retry.unref();
  }
}
