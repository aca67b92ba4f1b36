import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { NodeViewer } from '#platform/viewer.js';
import type { FactsChanged, InstanceChanged } from '#schema/events.js';

import {
  afterBeat,
  hoursToMark,
  isOvertaken,
  samplesOf,
  type BeatenState,
  type InstanceState,
  type ReceivedBeat,
  type Sample,
} from './beat.js';

/** An instance as it was read. */
export interface KnownInstance extends InstanceState {
  tenantId: string;
  id: string;
  generation: number;
  /** The transaction that wrote the row: another one there means that someone wrote it since. */
  writtenBy: string;
  /** The line of versions that most of its tenant's instances run. */
  major: number | null;
  minor: number | null;
}

/** What is written of an instance. */
export type Row = ReturnType<typeof rowOf>;
type StoredSample = Sample & { tenant_id: string; instance_id: string };

/** What a batch writes: rows by instance, and all that goes with them. */
export interface Writes {
  instances: Map<string, Row>;
  /** Instances that only get samples: they have no row among the others. */
  overtaken: Map<string, { tenant_id: string; id: string; generation: number }>;
  /** Those that no row of an instance carries: of instances with more than one. */
  samples: StoredSample[];
  hours: Map<string, { tenant_id: string; instance_id: string; hour: string }>;
  events: OutboxEvent[];
}

export function keyOf({ tenantId, instanceId }: Pick<NodeViewer, 'tenantId' | 'instanceId'>): string {
  return `${tenantId} ${instanceId}`;
}

/** Works out what the beats make of the instances as they were read, each beat on top of those before it. */
export function prepare(
  batch: readonly ReceivedBeat[],
  known: ReadonlyMap<string, KnownInstance>,
  now: Date,
  heartbeatSeconds: number,
): Writes {
  const writes: Writes = {
    instances: new Map(),
    overtaken: new Map(),
    samples: [],
    hours: new Map(),
    events: [],
  };
  const states = new Map<string, InstanceState>();
  // In the order of keys, so that two processes which store the same instances take their locks in the same order.
  const inOrder = batch
    .map((received) => ({ received, key: keyOf(received.node) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const { received, key } of inOrder) {
    const read = known.get(key);
    if (!read) throw new Error('beats are prepared for known instances');
    const before = states.get(key) ?? read;
    if (isOvertaken(before, received)) {
      const { own, replayed } = samplesOf(received, before.clockShiftSeconds);
      const samples = own ? [own, ...replayed] : replayed;
      noteTimes(writes, read, before, samples, now, heartbeatSeconds);
      addSamples(writes, read, samples);
      const { tenantId, id, generation } = read;
      if (!writes.instances.has(key)) writes.overtaken.set(key, { tenant_id: tenantId, id, generation });
      continue;
    }
    const baseline =
      read.major === null || read.minor === null ? null : { major: read.major, minor: read.minor };
    const { state, transitions } = afterBeat(before, received, baseline, heartbeatSeconds);
    const { own, replayed } = samplesOf(received, state.clockShiftSeconds);
    noteTimes(writes, read, state, own ? [own, ...replayed] : replayed, now, heartbeatSeconds);
    states.set(key, state);
    writes.overtaken.delete(key);
    const earlier = writes.instances.get(key);
    // The first of two samples of one moment stays: all of an instance with several beats are stored in their order.
    if (earlier) writes.samples.unshift(...carriedBy(earlier));
    addSamples(writes, read, earlier && own ? [own, ...replayed] : replayed);
    writes.instances.set(key, rowOf(read, state, received, earlier ? null : (own?.at ?? null), earlier));
    const facts = factsChanged(before, state, received);
    if (facts) writes.events.push(eventOf(read, received, 'fleet.facts.changed', facts));
    for (const transition of transitions) {
      const changed: InstanceChanged = { instanceId: read.id, ...transition };
      writes.events.push(eventOf(read, received, 'fleet.instance.changed', changed));
    }
  }
  return writes;
}

function eventOf(
  { tenantId, id }: KnownInstance,
  { requestId, traceparent = null }: ReceivedBeat,
  topic: string,
  payload: object,
): OutboxEvent {
  return { topic, tenantId, entityId: id, causedBy: requestId, traceparent, payload: { ...payload } };
}

/** What a beat tells of an instance that was not so before; undefined when it is all the same. */
function factsChanged(
  before: InstanceState,
  state: BeatenState,
  { node, beat, receivedAt }: ReceivedBeat,
): FactsChanged | undefined {
  const isSame = state.factsDigest === before.factsDigest;
  if (isSame && state.version === before.version) return undefined;
  return {
    instanceId: node.instanceId,
    version: state.version,
    facts: isSame ? null : (beat.facts as Record<string, unknown>),
    reportedAt: receivedAt.toISOString(),
  };
}

/** Marks the hours that the samples belong to, and moves the time of the newest one. */
function noteTimes(
  writes: Writes,
  { tenantId, id }: KnownInstance,
  state: InstanceState,
  samples: readonly Sample[],
  now: Date,
  heartbeatSeconds: number,
): void {
  for (const { at } of samples) {
    for (const time of hoursToMark(at, state.sampledAt, now, heartbeatSeconds)) {
      const hour = new Date(time).toISOString();
      writes.hours.set(`${tenantId} ${id} ${hour}`, { tenant_id: tenantId, instance_id: id, hour });
    }
    if (!state.sampledAt || state.sampledAt < at) state.sampledAt = at;
  }
}

function addSamples(writes: Writes, { tenantId, id }: KnownInstance, samples: readonly Sample[]): void {
  for (const sample of samples) writes.samples.push({ tenant_id: tenantId, instance_id: id, ...sample });
}

/** The sample that the row of an earlier beat would have brought along. */
function carriedBy(row: Row): StoredSample[] {
  if (!row.sample_at) return [];
  const { tenant_id, cpu_percent, memory_percent, disk_percent, net_rx_bytes, net_tx_bytes, load_average } =
    row;
  const measured = { cpu_percent, memory_percent, disk_percent, net_rx_bytes, net_tx_bytes, load_average };
  return [{ tenant_id, instance_id: row.id, at: row.sample_at, ...measured }];
}

/** What of an earlier beat stays where a later one in the batch does not tell it. */
interface EarlierRow {
  version: string | null;
  tells_storage: boolean;
  storage_used_gb: number | null;
  facts: object | null | undefined;
  facts_reported_at: Date | undefined;
}

/**
 * The row as the statement takes it, with the time of the sample that it carries, if any. Of two beats of one instance in
 * a batch, what only the first told is kept.
 */
function rowOf(
  read: KnownInstance,
  state: BeatenState,
  { beat, receivedAt }: ReceivedBeat,
  sampleAt: Date | null,
  earlier: EarlierRow | undefined,
) {
  // The same facts again are not written again.
  const isNew = state.factsDigest !== read.factsDigest;
  return {
    tenant_id: read.tenantId,
    id: read.id,
    generation: read.generation,
    written_by: read.writtenBy,
    last_seen_at: state.lastSeenAt,
    offline_at: state.offlineAt,
    announced_status: state.status,
    status_changed_at: state.statusChangedAt,
    reasons: state.reasons,
    streaks: state.streaks,
    sampled_at: state.sampledAt,
    sample_at: sampleAt,
    sequence: state.sequence,
    regressions: state.regressions,
    regressed_at: state.regressedAt,
    other_sequence: state.otherSequence,
    clock_skew_seconds: state.clockSkewSeconds,
    clock_shift_seconds: state.clockShiftSeconds,
    version: beat.version ?? earlier?.version ?? null,
    apps_count: beat.appsCount,
    cpu_percent: beat.cpuPercent,
    memory_percent: beat.memoryPercent,
    disk_percent: beat.diskPercent,
    cpu_cores: beat.cpuCores,
    memory_gb: beat.memoryGb,
    tells_storage: beat.storageUsedGb !== undefined || (earlier?.tells_storage ?? false),
    storage_used_gb:
      beat.storageUsedGb === undefined ? (earlier?.storage_used_gb ?? null) : beat.storageUsedGb,
    net_rx_bytes: state.netRxBytes,
    net_tx_bytes: state.netTxBytes,
    net_rx_bytes_per_second: state.netRxBytesPerSecond,
    net_tx_bytes_per_second: state.netTxBytesPerSecond,
    load_average: beat.loadAverage ?? null,
    uptime_seconds: beat.uptimeSeconds ?? null,
    health: beat.health ?? [],
    facts: beat.facts ? (isNew ? beat.facts : undefined) : (earlier?.facts ?? undefined),
    facts_digest: state.factsDigest,
    facts_reported_at: beat.facts ? receivedAt : (earlier?.facts_reported_at ?? undefined),
  };
}
