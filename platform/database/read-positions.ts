import type { Logger } from '../logger.js';
import { ReadFloor } from './read-floor.js';

/** A place in PostgreSQL's log: `timeline` is the panel's own number of the run of the server that wrote it. */
export interface LogPosition {
  timeline: string;
  lsn: string;
}

/** Where processes tell each other how far tenants have written. */
export interface SharedPositions {
  /** A position that sorts as text, undefined where nothing was written of late; and whether there is one that no server said. */
  get(tenantId: string): Promise<{ position: string | undefined; isUnsaid: boolean }>;
  /** Keeps it unless a later one is there, for as long as `seconds`. */
  raise(tenantId: string, position: string, seconds: number): Promise<void>;
  /** That the tenant has written, and no server said how far. */
  raiseUnsaid(tenantId: string, seconds: number): Promise<void>;
  /** Calls the listener whenever it can be reached again: what was told before may be lost. */
  onBack(listener: () => void): void;
}

const rememberedSeconds = 600;

/**
 * How far each tenant has written, as positions in PostgreSQL's log, so that nobody reads a replica that lacks what was
 * acknowledged to them before. With processes that share it the answer to a write waits until the others can know.
 */
export class ReadPositions {
  private readonly own = new Map<string, { position: string; until: number }>();
  /** Who has written what no server said the position of, and until when that counts. */
  private readonly unsaid = new Map<string, number>();
  private forgottenAt = 0;
  private floor: ReadFloor | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly shared?: SharedPositions,
  ) {}

  /** From now on replicas are read, where `ask` tells the primary's position: one further behind than seconds is not. */
  async follow(ask: () => Promise<LogPosition | undefined>): Promise<void> {
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
  async wrote(tenantId: string, position: LogPosition | undefined): Promise<void> {
    if (position) this.raise(tenantId, sortable(position));
    else this.unsaid.set(tenantId, performance.now() + rememberedSeconds * 1000);
    const told = position
      ? this.shared?.raise(tenantId, sortable(position), rememberedSeconds)
      : this.shared?.raiseUnsaid(tenantId, rememberedSeconds);
    await told?.catch((error: unknown) =>
      this.logger.warn({ err: error }, 'other processes could not be told how far a tenant has written'),
    );
  }

  /** Of what this process has been told of. */
  heard(tenantIds: Iterable<string>, position: LogPosition): void {
    for (const tenantId of tenantIds) this.raise(tenantId, sortable(position));
  }

  /** What a replica must have for the tenant to be read from it; undefined for not at all. */
  async needed(tenantId: string): Promise<LogPosition | undefined> {
    let theirs: string;
    try {
      const told = await this.shared?.get(tenantId);
      if (told?.isUnsaid) return undefined;
      theirs = told?.position ?? '';
    } catch {
      return undefined;
    }
    if ((this.unsaid.get(tenantId) ?? 0) > performance.now()) return undefined;
    const mine = this.own.get(tenantId)?.position ?? '';
    // Only now: what others have told may have been lost meanwhile.
    const floor = this.floor?.position;
    if (floor === undefined) return undefined;
    return positionOf([mine, theirs].reduce((a, b) => (a > b ? a : b), floor));
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
    for (const [tenantId, until] of this.unsaid) if (until <= now) this.unsaid.delete(tenantId);
  }
}

/**
 * `1764000000000000 0/16B3748` with zeros in front, so that text sorts as positions do: by timeline first, as a server that
 * takes over may give places out again that the one before gave to what is lost.
 */
function sortable({ timeline, lsn }: LogPosition): string {
  const halves = lsn.split('/').map((half) => half.padStart(8, '0').toUpperCase());
  return `${timeline.padStart(19, '0')} ${halves.join('/')}`;
}

/** Still a `bigint` and a `pg_lsn` with the zeros in front. */
function positionOf(text: string): LogPosition {
  const [timeline = '', lsn = ''] = text.split(' ');
  return { timeline, lsn };
}
