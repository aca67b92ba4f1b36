import type { Clock } from '../clock.js';
import type { Database, RowReader } from '../database/database.js';
import { systemQuestions } from '../database/system-em.js';
import type { Logger } from '../logger.js';
import type { DeliveredEvent } from '../outbox/event.js';
import type { OutboxTail } from '../outbox/tail.js';
import { untilRound } from '../rounds.js';
import type { Viewer } from '../viewer.js';
import type { Revocations } from './tokens.js';

/** A token subject that is refused from now on: a session, a tenant, or a node's credential below a generation. */
export interface Revocation {
  kind: 'session' | 'tenant' | 'node' | 'api-key' | 'grant';
  id: string;
  /** For a node: credentials of a lower generation are refused. */
  belowGeneration?: number;
  /** For a grant: the users for whom it goes on. */
  exceptFor?: readonly string[];
  /** False takes an earlier revocation back, as when a tenant is restored. */
  isRevoked: boolean;
}

type RevocationEvent = Pick<DeliveredEvent, 'topic' | 'entityId' | 'payload'>;

/** Where revocations come from: at once as events, and by a query in case an event was late. */
export interface RevocationSource {
  database: Database;
  tail: OutboxTail;
  topics: readonly string[];
  /** Whether a revocation holds until it is taken back, so that a process that starts asks for all of them. */
  outlastsTokens?: boolean;
  fromEvent: (event: RevocationEvent) => Revocation | undefined;
  /** Revocations made at or after a moment, over all tenants. */
  since: (reader: RowReader, since: Date) => Promise<Revocation[]>;
}

const pollMs = 5_000;
// A user's access token lives for 15 minutes; a revocation that is older has no token left to refuse.
const sessionMemoryMs = 15 * 60 * 1000;
// Stamps are taken before their commit, so windows overlap.
const overlapMs = 30_000;

/** Keeps in memory what was revoked, so that no request asks the database whether its token still counts. */
export class RevocationFeed implements Revocations {
  /** Sessions, API keys and grants, until their last token has ended. */
  private readonly ended = new Map<string, number>();
  /** Grants that have ended for all but some users, until the last token of anybody else has ended. */
  private readonly limited = new Map<string, { users: ReadonlySet<string>; until: number }>();
  private readonly tenants = new Set<string>();
  private readonly generations = new Map<string, number>();
  private readonly ending = new AbortController();
  private readonly stops: (() => void)[] = [];
  private polling: Promise<void> | undefined;

  constructor(
    private readonly sources: readonly RevocationSource[],
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Knows everything of the last 15 minutes once it resolves. */
  async start(): Promise<void> {
    for (const source of this.sources) {
      const listen = (event: RevocationEvent) => {
        if (!source.topics.includes(event.topic)) return;
        const revocation = source.fromEvent(event);
        if (revocation) this.apply(revocation);
      };
      // What this process revoked itself holds from the very next request on.
      const stopLocal = source.database.onCommitted((events) => events.forEach(listen));
      const { stop } = source.tail.listen(listen);
      this.stops.push(stop, stopLocal);
    }
    await this.read((source) =>
      source.outlastsTokens ? new Date(0) : new Date(this.clock.now().getTime() - sessionMemoryMs),
    );
    this.polling = this.poll();
  }

  async stop(): Promise<void> {
    this.ending.abort();
    for (const stop of this.stops) stop();
    await this.polling;
  }

  reasonFor(viewer: Viewer): string | undefined {
    if (this.tenants.has(viewer.tenantId)) return 'The tenant is suspended';
    const isPersonal = viewer.kind === 'user' || viewer.kind === 'delegate';
    if (isPersonal && this.isSessionEnded(viewer.sessionId)) return 'The session has ended';
    if (viewer.kind === 'api-key' && this.ended.has(viewer.keyId)) return 'The API key was revoked';
    if (viewer.kind === 'node' && viewer.generation < (this.generations.get(viewer.instanceId) ?? 0)) {
      return 'The credential was revoked';
    }
    return undefined;
  }

  isSuspended(tenantId: string): boolean {
    return this.tenants.has(tenantId);
  }

  isGrantEnded(grantId: string, userId: string): boolean {
    if (this.ended.has(grantId)) return true;
    return this.limited.get(grantId)?.users.has(userId) === false;
  }

  isSessionEnded(sessionId: string): boolean {
    return this.ended.has(sessionId);
  }

  private apply({ kind, id, belowGeneration, exceptFor, isRevoked }: Revocation): void {
    const until = this.clock.now().getTime() + sessionMemoryMs;
    switch (kind) {
      case 'session':
      case 'api-key':
      case 'grant':
        if (exceptFor) this.limited.set(id, { users: new Set(exceptFor), until });
        else if (isRevoked) this.ended.set(id, until);
        break;
      case 'tenant':
        if (isRevoked) this.tenants.add(id);
        else this.tenants.delete(id);
        break;
      case 'node':
        this.generations.set(id, Math.max(belowGeneration ?? 0, this.generations.get(id) ?? 0));
        break;
    }
  }

  private async poll(): Promise<void> {
    const { signal } = this.ending;
    let since = this.clock.now();
    while (!signal.aborted) {
      await untilRound(this.clock, pollMs, signal);
      if (signal.aborted) return;
      const now = this.clock.now();
      try {
        const from = new Date(since.getTime() - overlapMs);
        await this.read(() => from);
        since = now;
      } catch (error) {
        this.logger.warn({ err: error }, 'revocations could not be read');
      }
      for (const [id, until] of this.ended) if (until <= now.getTime()) this.ended.delete(id);
      for (const [id, { until }] of this.limited) if (until <= now.getTime()) this.limited.delete(id);
    }
  }

  private async read(since: (source: RevocationSource) => Date): Promise<void> {
    const found = await Promise.all(
      this.sources.map((source) => source.since(systemQuestions(source.database), since(source))),
    );
    for (const revocation of found.flat()) this.apply(revocation);
  }
}
