import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';

import type { CrowdTenant } from './tenants.js';

/** What a dashboard has open, all on one socket. */
const subscriptions = {
  commandProgressed: '{ commandProgressed { id } }',
  metricsReported: '{ metricsReported { instanceId cpuPercent memoryPercent } }',
  instanceChanged: '{ instanceChanged { id name status tenant { name } } }',
  alertChanged: '{ alertChanged { id status severity instance { id name } } }',
  fleetHealthChanged: '{ fleetHealthChanged { totalInstances healthy degraded offline } }',
} as const;

type Told = Record<string, { id?: string; instanceId?: string } | undefined>;

/** Someone who looks at a tenant's fleet all the time, and comes back never: a socket that ends is counted. */
export class Dashboard {
  readonly heard: Record<keyof typeof subscriptions, number> = {
    commandProgressed: 0,
    metricsReported: 0,
    instanceChanged: 0,
    alertChanged: 0,
    fleetHealthChanged: 0,
  };
  readonly commands = new Set<string>();
  readonly errors: string[] = [];
  private client: Client | undefined;
  private isOver = false;

  constructor(
    private readonly url: string,
    readonly tenant: CrowdTenant,
    /** Told of each event about a command or an instance's beat, when it is heard. */
    private readonly hears: (kind: 'command' | 'beat', id: string) => void,
  ) {}

  async open(): Promise<void> {
    const { token, from } = this.tenant;
    class Socket extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols, { headers: { 'x-forwarded-for': from } });
      }
    }
    const client = createClient({
      url: `${this.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: Socket,
      retryAttempts: 0,
      lazy: false,
      onNonLazyError: (error) => this.fail('the socket', error),
      connectionParams: { authorization: `Bearer ${token}` },
      on: {
        closed: (event) => {
          const { code, reason } = event as { code: number; reason: string };
          if (!this.isOver) this.errors.push(`closed with ${code} ${reason}`);
        },
      },
    });
    this.client = client;
    for (const [name, selection] of Object.entries(subscriptions))
      client.subscribe<Told>(
        { query: `subscription ${selection}` },
        {
          next: ({ data, errors }) => {
            if (errors) this.fail(name, errors);
            else this.hear(name as keyof typeof subscriptions, data?.[name]);
          },
          error: (error) => this.fail(name, error),
          complete: () => {
            if (!this.isOver) this.errors.push(`${name} has ended`);
          },
        },
      );
    // One socket is answered in order: this says that the subscriptions stand.
    await new Promise<void>((resolve, reject) => {
      client.subscribe(
        { query: '{ __typename }' },
        { next: () => undefined, error: reject, complete: resolve },
      );
    });
  }

  async close(): Promise<void> {
    this.isOver = true;
    await this.client?.dispose();
  }

  private hear(name: keyof typeof subscriptions, told: Told[string]): void {
    this.heard[name] += 1;
    if (name === 'commandProgressed' && told?.id !== undefined) {
      if (!this.commands.has(told.id)) this.hears('command', told.id);
      this.commands.add(told.id);
    }
    if (name === 'metricsReported' && told?.instanceId !== undefined) this.hears('beat', told.instanceId);
  }

  private fail(what: string, error: unknown): void {
    if (!this.isOver) this.errors.push(`${what}: ${JSON.stringify(error).slice(0, 200)}`);
  }
}
