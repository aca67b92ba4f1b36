import type { Clock } from '#platform/clock.js';
import type { Database, SqlEntityManager } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { ApiError } from '#platform/errors.js';
import { appendToOutbox, type OutboxEvent } from '#platform/outbox/outbox.js';
import type { InstanceChanged } from '#schema/events.js';

import type { Outcome } from './batch-queue.js';
import {
  afterBeat,
  hoursToMark,
  samplesOf,
  type InstanceState,
  type ReceivedBeat,
  type Sample,
} from './beat.js';
import type { VersionLine } from './heartbeat.reasons.js';
import { boundTransaction, insertSamples, lockInstances, markHours, updateInstances } from './ingest.sql.js';

interface LockedInstance extends InstanceState {
  tenantId: string;
  id: string;
  generation: number;
  major: number | null;
  minor: number | null;
}

type StoredSample = Sample & { tenant_id: string; instance_id: string };

/** One transaction's worth of rows. */
interface Writes {
  instances: Map<string, Record<string, unknown>>;
  samples: StoredSample[];
  hours: Map<string, { tenant_id: string; instance_id: string; hour: string }>;
  events: OutboxEvent[];
}

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
  ) {}

  /** Answers for each beat when all are committed. One that cannot be stored does not keep the others from it. */
  async store(batch: readonly ReceivedBeat[]): Promise<readonly Outcome<void>[]> {
    try {
      return await this.storeTogether(batch).catch((error: unknown) => {
        // The sample's partition was made while the insert waited to put it into the default one.
        if (codeOf(error) === checkViolation) return this.storeTogether(batch);
        throw error;
      });
    } catch (error) {
      if (isPassing(error)) throw unavailable(error);
      if (batch.length === 1) throw error;
      const outcomes: Outcome<void>[] = [];
      for (const received of batch) {
        outcomes.push(...(await this.store([received]).catch((alone: unknown) => [{ error: alone }])));
      }
      return outcomes;
    }
  }

  private async storeTogether(batch: readonly ReceivedBeat[]): Promise<Outcome<void>[]> {
    return systemEm(this.database).transactional(async (em) => {
      await em.execute(boundTransaction);
      const instances = await lock(em, batch);
      const writes: Writes = { instances: new Map(), samples: [], hours: new Map(), events: [] };
      // Read with the locks held, so that it is no older than the transaction's first write.
      const now = this.clock.now();
      const outcomes = batch.map((received): Outcome<void> => {
        const { instanceId, tenantId, generation } = received.node;
        const instance = instances.get(`${tenantId} ${instanceId}`);
        if (instance?.generation !== generation) return { error: revoked() };
        this.apply(received, instance, now, writes);
        return { answer: undefined };
      });
      await write(em, updateInstances, [...writes.instances.values()]);
      await write(em, insertSamples, writes.samples);
      await write(em, markHours, [...writes.hours.values()]);
      await appendToOutbox(em, this.database.area, writes.events, {
        requestId: batch[0]?.requestId ?? '',
        at: now,
      });
      return outcomes;
    });
  }

  private apply(received: ReceivedBeat, instance: LockedInstance, now: Date, writes: Writes): void {
    const { tenantId, id, major, minor } = instance;
    const baseline: VersionLine | null = major === null || minor === null ? null : { major, minor };
    const { state, transition } = afterBeat(instance, received, baseline, this.heartbeatSeconds);
    Object.assign(instance, state);
    for (const sample of samplesOf(received, state.clockSkewSeconds)) {
      writes.samples.push({ tenant_id: tenantId, instance_id: id, ...sample });
      for (const time of hoursToMark(sample.at, instance.sampledAt, now, this.heartbeatSeconds)) {
        const hour = new Date(time).toISOString();
        writes.hours.set(`${tenantId} ${id} ${hour}`, { tenant_id: tenantId, instance_id: id, hour });
      }
      if (!instance.sampledAt || instance.sampledAt < sample.at) instance.sampledAt = sample.at;
    }
    const earlier = writes.instances.get(`${tenantId} ${id}`);
    writes.instances.set(`${tenantId} ${id}`, rowOf(instance, received, earlier));
    if (transition) {
      writes.events.push({
        topic: 'fleet.instance.changed',
        tenantId,
        entityId: id,
        causedBy: received.requestId,
        payload: { instanceId: id, ...transition } satisfies InstanceChanged,
      });
    }
  }
}

async function lock(
  em: SqlEntityManager,
  batch: readonly ReceivedBeat[],
): Promise<Map<string, LockedInstance>> {
  const keys = new Map(
    batch.map(({ node: { tenantId, instanceId } }) => [
      `${tenantId} ${instanceId}`,
      { tenant_id: tenantId, id: instanceId },
    ]),
  );
  const rows = await em.execute<Times<LockedInstance>[]>(lockInstances, [JSON.stringify([...keys.values()])]);
  return new Map(
    rows.map((row) => [
      `${row.tenantId} ${row.id}`,
      {
        ...row,
        lastSeenAt: time(row.lastSeenAt),
        offlineAt: time(row.offlineAt),
        statusChangedAt: time(row.statusChangedAt),
        sampledAt: time(row.sampledAt),
      },
    ]),
  );
}

type TimeKeys = 'lastSeenAt' | 'offlineAt' | 'statusChangedAt' | 'sampledAt';

/** As the driver gives it: times are text. */
type Times<Row extends Record<TimeKeys, unknown>> = Omit<Row, TimeKeys> & Record<TimeKeys, string | null>;

function time(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

async function write(em: SqlEntityManager, sql: string, rows: readonly object[]): Promise<void> {
  if (rows.length > 0) await em.execute(sql, [JSON.stringify(rows)]);
}

/** The row as the update takes it. Of two beats of one instance in a batch, what only the first told is kept. */
function rowOf(
  instance: LockedInstance,
  { beat }: ReceivedBeat,
  earlier: Record<string, unknown> | undefined,
): Record<string, unknown> {
  return {
    tenant_id: instance.tenantId,
    id: instance.id,
    generation: instance.generation,
    last_seen_at: instance.lastSeenAt,
    offline_at: instance.offlineAt,
    announced_status: instance.status,
    status_changed_at: instance.statusChangedAt,
    reasons: instance.reasons,
    streaks: instance.streaks,
    sampled_at: instance.sampledAt,
    sequence: beat.sequence ?? null,
    clock_skew_seconds: instance.clockSkewSeconds,
    version: beat.version,
    apps_count: beat.appsCount,
    cpu_percent: beat.cpuPercent,
    memory_percent: beat.memoryPercent,
    disk_percent: beat.diskPercent,
    cpu_cores: beat.cpuCores,
    memory_gb: beat.memoryGb,
    storage_used_gb: beat.storageUsedGb ?? earlier?.['storage_used_gb'] ?? null,
    net_rx_bytes: instance.netRxBytes,
    net_tx_bytes: instance.netTxBytes,
    net_rx_bytes_per_second: instance.netRxBytesPerSecond,
    net_tx_bytes_per_second: instance.netTxBytesPerSecond,
    load_average: beat.loadAverage ?? null,
    uptime_seconds: beat.uptimeSeconds ?? null,
    health: beat.health ?? [],
    facts: beat.facts ?? earlier?.['facts'] ?? undefined,
  };
}

function revoked(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The credential was revoked', { reason: 'TOKEN_REVOKED' });
}

function unavailable(cause: unknown): ApiError {
  return new ApiError('UNAVAILABLE', 'Beats cannot be stored just now', { retryAfterSeconds: 5, cause });
}

const checkViolation = '23514';
const sqlState = /^[0-9A-Z]{5}$/;
// Lost connections, a server that stops or is full, cancelled statements, deadlocks and lock timeouts.
const passingState = /^(08|25P|40|53|55P03|57)/;
const networkError = /^E[A-Z]+$/;
const lostConnection = /connection|timeout|terminated/i;

/** Whether the same batch may well be stored at another try. */
function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (sqlState.test(code)) return passingState.test(code);
  return networkError.test(code) || (error instanceof Error && lostConnection.test(error.message));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
