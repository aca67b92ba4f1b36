import { setTimeout as sleep } from 'node:timers/promises';

import { Pool } from 'undici';

import { gatewayTokenHeader } from '#platform/auth/service-token.js';

// Often enough for any HEARTBEAT_SECONDS that fleet may have: it is fleet's setting, which a gateway need not know.
const everyMs = 1_000;

export interface GatewayBeaconOptions {
  /** Where fleet is. */
  target: string;
  gatewayToken: () => Promise<string>;
}

/**
 * Lets fleet know, in split mode, that this gateway is there: nodes get through by gateways only, and their silence does
 * not count while there is none.
 */
export class GatewayBeacon {
  private readonly pool: Pool;
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly options: GatewayBeaconOptions) {
    this.pool = new Pool(options.target, { connections: 1, connect: { timeout: 2_000 } });
  }

  /** Resolves when fleet has heard it once, or does not answer. */
  async start(): Promise<void> {
    await this.call();
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
    await this.pool.destroy();
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      // In the machine's own time: it is about processes, not about nodes.
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.call();
    }
  }

  /** A fleet that is away finds out by itself that it was. */
  private async call(): Promise<void> {
    try {
      const { body } = await this.pool.request({
        path: '/hearing',
        method: 'POST',
        headers: { [gatewayTokenHeader]: await this.options.gatewayToken() },
        signal: AbortSignal.any([this.ending.signal, AbortSignal.timeout(5_000)]),
      });
      await body.dump();
    } catch {
      // The next call comes soon.
    }
  }
}
