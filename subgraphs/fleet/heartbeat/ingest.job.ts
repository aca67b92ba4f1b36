import type { Outcome } from '#platform/batch-queue.js';
import type { Clock } from '#platform/clock.js';
import { arrayLiteral } from '#platform/database/array-literal.js';
import type { Database } from '#platform/database/database.js';
import { isPassing, sqlCodeOf } from '#platform/database/outage.js';
import { patience, withPatience, type Patience } from '#platform/database/patience.js';
import { systemEm, systemPrepared, systemStatement } from '#platform/database/system-em.js';
import { ApiError } from '#platform/errors.js';
import { appendToOutbox } from '#platform/outbox/outbox.js';

import type { MetricsRelay } from '../metrics/metrics-relay.job.js';
import type { ReceivedBeat } from './beat.js';
import { arraysOf } from './ingest.arrays.js';
import { keyOf, prepare, type KnownInstance, type Writes } from './ingest.rows.js';
import { readInstances, storeBeats } from './ingest.sql.js';

const attempts = 4;

/**
 * Stores batches of beats. A batch spans tenants, so it runs as `fleet_jobs`, past row-level security. That is safe
 * because the tenant and the instance of every row come from the verified credential of the node that sent it, never
 * from the body, and each statement joins on both and on the credential's generation.
 */
export class HeartbeatIngest {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly heartbeatSeconds: number,
    /** Shows committed beats to those who watch; absent where nobody can. */
    private readonly relay?: MetricsRelay,
    /** What takes longer is given up, with the wait for a connection well below rollupGraceMs: the rollup relies on it. */
    private readonly deadlines: Patience = patience.beats,
  ) {}

  /** Answers for each beat when it is committed. One that cannot be stored does not keep the others from it. */
  async store(batch: readonly ReceivedBeat[]): Promise<readonly Outcome<void>[]> {
    return withPatience(this.deadlines, async () => this.storeInTime(batch));
  }

  async stop(): Promise<void> {
    await this.relay?.stop();
  }

  private async storeInTime(batch: readonly ReceivedBeat[]): Promise<readonly Outcome<void>[]> {
    const outcomes = new Map<ReceivedBeat, Outcome<void>>();
    // What is stored already must not be stored again when another beat's trouble comes after it.
    const left = () => batch.filter((received) => !outcomes.has(received));
    try {
      await this.storeTogether(batch, outcomes).catch(async (error: unknown) => {
        // The sample's partition was made while the insert waited to put it into the default one.
        if (sqlCodeOf(error) !== checkViolation) throw error;
        await this.storeTogether(left(), outcomes);
      });
    } catch (error) {
      if (isPassing(error)) {
        for (const received of left()) outcomes.set(received, { error: unavailable(error) });
      } else if (batch.length === 1) {
        return [{ error }];
      } else {
        for (const received of left()) {
          const [alone] = await this.storeInTime([received]);
          if (alone) outcomes.set(received, alone);
        }
      }
    }
    return batch.map((received) => outcomes.get(received) ?? { error: unavailable() });
  }

  private async storeTogether(
    batch: readonly ReceivedBeat[],
    outcomes: Map<ReceivedBeat, Outcome<void>>,
  ): Promise<void> {
    let open = batch;
    for (let attempt = 0; attempt < attempts && open.length > 0; attempt += 1) {
      const known = await this.read(open);
      const beats = open.filter((received) => {
        const isValid = known.get(keyOf(received.node))?.generation === received.node.generation;
        if (!isValid) outcomes.set(received, { error: revoked() });
        return isValid;
      });
      if (beats.length === 0) break;
      const writes = prepare(beats, known, this.clock.now(), this.heartbeatSeconds);
      const stored = await this.write(writes);
      this.show(writes, stored);
      open = beats.filter((received) => !stored.has(keyOf(received.node)));
      for (const received of beats) {
        if (stored.has(keyOf(received.node))) outcomes.set(received, { answer: undefined });
      }
    }
  }

  private show({ instances }: Writes, stored: ReadonlySet<string>): void {
    const rows = [...instances].flatMap(([key, row]) => (stored.has(key) ? [row] : []));
    this.relay?.stored(rows, (channel, payloads) =>
      systemStatement(
        this.database,
        'select pg_notify(?, payload) from jsonb_array_elements_text(?::jsonb) payload',
        [channel, JSON.stringify(payloads)],
      ),
    );
  }

  private async read(batch: readonly ReceivedBeat[]): Promise<Map<string, KnownInstance>> {
    const nodes = [...new Map(batch.map(({ node }) => [keyOf(node), node])).values()];
    const rows = await systemPrepared<KnownInstance>(this.database, readInstances, [
      arrayLiteral(nodes.map(({ tenantId }) => tenantId)),
      arrayLiteral(nodes.map(({ instanceId }) => instanceId)),
    ]);
    return new Map(rows.map((row) => [`${row.tenantId} ${row.id}`, row]));
  }

  /** Answers the keys of the instances stored. Their events go with them. */
  private async write(writes: Writes): Promise<Set<string>> {
    const hasOvertaken = writes.overtaken.size > 0;
    const hasSamples = writes.samples.length > 0;
    const hasHours = writes.hours.size > 0;
    const sql = storeBeats({ hasOvertaken, hasSamples, hasHours });
    const more = [
      ...(hasOvertaken ? [writes.overtaken.values()] : []),
      ...(hasSamples ? [writes.samples] : []),
      ...(hasHours ? [writes.hours.values()] : []),
    ];
    const values = [
      ...arraysOf([...writes.instances.values()]),
      ...more.map((rows) => JSON.stringify([...rows])),
    ];
    if (writes.events.length === 0)
      return keySet(await systemPrepared<StoredKey>(this.database, sql, values));
    return systemEm(this.database).transactional(async (em) => {
      const stored = keySet(await em.execute<StoredKey[]>(sql, values));
      const events = writes.events.filter(({ tenantId, entityId }) => stored.has(`${tenantId} ${entityId}`));
      await appendToOutbox(em, this.database.area, events, { requestId: 'heartbeats', at: this.clock.now() });
      return stored;
    });
  }
}

interface StoredKey {
  tenantId: string;
  id: string;
}

function keySet(rows: readonly StoredKey[]): Set<string> {
  return new Set(rows.map(({ tenantId, id }) => `${tenantId} ${id}`));
}

function revoked(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The credential was revoked', { reason: 'TOKEN_REVOKED' });
}

// Also where a COMMIT has lost its answer: to beat twice does no harm, and a node has to be told when to come again.
function unavailable(cause?: unknown): ApiError {
  return new ApiError('UNAVAILABLE', 'Beats cannot be stored just now', { retryAfterSeconds: 5, cause });
}

const checkViolation = '23514';
