import type { Logger } from '#platform/logger.js';

import type { Server } from './kept.js';
import type { World } from './world.js';

/** A server as whatever runs on it sees it. */
export interface BootedServer {
  id: number;
  name: string;
  ipv4: string;
  userData: string;
  labels: Readonly<Record<string, string>>;
}

/** Starts what a server runs; a server without anything to run answers undefined. */
export type Boot = (server: BootedServer) => Promise<{ stop(): Promise<void> } | undefined>;

/** What runs on the servers that are on. */
export class Machines {
  private readonly running = new Map<number, Promise<{ stop(): Promise<void> } | undefined>>();

  constructor(
    world: World,
    private readonly boot: Boot,
    private readonly logger: Logger,
  ) {
    world.onPower((server, _project, isOn) => {
      if (isOn) this.start(server);
      else void this.halt(server.id);
    });
  }

  start({ id, name, ipv4, userData, labels }: Server): void {
    if (this.running.has(id)) return;
    const started = this.boot({ id, name, ipv4, userData, labels }).catch((error: unknown) => {
      this.logger.error({ err: error, server: name }, 'a machine did not boot');
      return undefined;
    });
    this.running.set(id, started);
  }

  async halt(id: number): Promise<void> {
    const machine = this.running.get(id);
    this.running.delete(id);
    await (await machine)?.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running.keys()].map((id) => this.halt(id)));
  }
}
