import type { Logger } from '../logger.js';
import { ReadFloor } from './read-floor.js';

/** Where processes tell each other how far tenants have written. */
export interface SharedPositions {
  /** A position that sorts as text; undefined where nothing was written of late. */
  get(tenantId: string): Promise<string | undefined>;
  /** Keeps it unless a later one is there, for as long as `seconds`. */
  raise(tenantId: string, position: string, seconds: number): Promise<void>;
  /** Calls the listener whenever it can be reached again: what was told before may be lost. */
  onBack(listener: () => void): void;
}

const rememberedSeconds = 600;

// Later than any: what is not known to be on a replica is read from the primary.
const never = 'FFFFFFFF/FFFFFFFF';

/**
 * How far each tenant has written, as positions in PostgreSQL's log, so that nobody reads a replica that lacks what was
 * acknowledged to them before. With processes that share it the answer to a write waits until the others can know.
 */
export class ReadPositions {
  private readonly own = new Map<string, { position: string; until: number }>();
  private forgottenAt = 0;
  private floor: ReadFloor | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly shared?: SharedPositions,
  ) {}

  /** From now on replicas are read, where `ask` tells the primary's position: one further behind than seconds is not. */
  async follow(ask: () => Promise<string | undefined>): Promise<void> {
    const floor = new ReadFloor(async () => {
      const position = await ask();
      return position === undefined ? undefined : sortable(position);
    });
    this.floor = floor;
    this.shared?.onBack(() => floor.forget());
    await floor.start();
  }

  stop(): void {
    this.floor?.stop();
  }

  /** Of what this process has committed. Pass undefined where the server did not say. */
  async wrote(tenantId: string, position: string | undefined): Promise<void> {
    const known = position === undefined ? never : sortable(position);
    this.raise(tenantId, known);
    await this.shared
      ?.raise(tenantId, known, rememberedSeconds)
      .catch((error: unknown) =>
        this.logger.warn({ err: error }, 'other processes could not be told how far a tenant has written'),
      );
  }

  /** Of what this process has been told of. */
  heard(tenantIds: Iterable<string>, position: string): void {
    for (const tenantId of tenantIds) this.raise(tenantId, sortable(position));
  }

  /** What a replica must have for the tenant to be read from it, a `pg_lsn`; undefined for not at all. */
  async needed(tenantId: string): Promise<string | undefined> {
    const mine = this.own.get(tenantId)?.position ?? '';
    let theirs: string;
    try {
      theirs = (await this.shared?.get(tenantId)) ?? '';
    } catch {
      return undefined;
    }
    // Only now: what others have told may have been lost meanwhile.
    const floor = this.floor?.position;
    if (floor === undefined) return undefined;
    const latest = [mine, theirs].reduce((a, b) => (a > b ? a : b), floor);
    return latest === never ? undefined : latest;
  }

  private raise(tenantId: string, position: string): void {
    const now = performance.now();
    if (now - this.forgottenAt > rememberedSeconds * 1000) this.forget(now);
    const known = this.own.get(tenantId)?.position ?? '';
    this.own.set(tenantId, {
      position: known > position ? known : position,
      until: now + rememberedSeconds * 1000,
    });
  }

  private forget(now: number): void {
    this.forgottenAt = now;
    for (const [tenantId, { until }] of this.own) if (until <= now) this.own.delete(tenantId);
  }
}

/** `0/16B3748` as `00000000/016B3748`, which is still a `pg_lsn`. */
function sortable(position: string): string {
  return position
    .split('/')
    .map((half) => half.padStart(8, '0').toUpperCase())
    .join('/');
}
