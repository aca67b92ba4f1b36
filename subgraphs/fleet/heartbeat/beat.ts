import type { NodeViewer } from '#platform/viewer.js';

import { offlineAfter, type StoredReason } from '../instance/instance.status.js';
import { aheadLimitMs, hourMs, hourOf, lateLimitMs, rateReachMs } from '../metrics/tiers.js';
import type { Heartbeat } from './heartbeat.inputs.js';
import { judge, type Streaks, type VersionLine } from './heartbeat.reasons.js';

/** A beat that waits to be stored: whose it is by the verified credential, and when it came by server time. */
export interface ReceivedBeat {
  node: NodeViewer;
  beat: Heartbeat;
  receivedAt: Date;
  requestId: string;
}

export type Status = 'HEALTHY' | 'DEGRADED' | 'OFFLINE';

/** What of an instance the next beat depends on. */
export interface InstanceState {
  lastSeenAt: Date | null;
  offlineAt: Date | null;
  status: Status;
  statusChangedAt: Date | null;
  reasons: readonly StoredReason[];
  streaks: Streaks;
  /** The time of its newest sample. */
  sampledAt: Date | null;
  netRxBytes: number | null;
  netTxBytes: number | null;
  netRxBytesPerSecond: number | null;
  netTxBytesPerSecond: number | null;
  clockSkewSeconds: number | null;
}

/** What it is once it has beaten. */
export type BeatenState = InstanceState & { lastSeenAt: Date };

/** A change of status or of its reasons; `from` is null at the first beat. */
export interface Transition {
  from: Status | null;
  to: Status;
}

/** What an instance is after a beat. A beat that waited behind a later one does not turn time back. */
export function afterBeat(
  before: InstanceState,
  { beat, receivedAt }: ReceivedBeat,
  baseline: VersionLine | null,
  heartbeatSeconds: number,
): { state: BeatenState; transition: Transition | null } {
  const { lastSeenAt } = before;
  const now = lastSeenAt && lastSeenAt > receivedAt ? lastSeenAt : receivedAt;
  const isBack = before.status === 'OFFLINE' || !before.offlineAt || before.offlineAt <= now;
  const skew = beat.sentAt ? (beat.sentAt.getTime() - receivedAt.getTime()) / 1000 : null;
  const standing = judge(beat, {
    clockSkewSeconds: skew,
    // What was told before an outage says nothing about the time after it.
    before: isBack ? { reasons: [], streaks: {} } : before,
    baseline,
    now,
  });
  const status = standing.reasons.length > 0 ? 'DEGRADED' : 'HEALTHY';
  const from = lastSeenAt === null ? null : isBack ? 'OFFLINE' : before.status;
  const elapsed = lastSeenAt ? (now.getTime() - lastSeenAt.getTime()) / 1000 : 0;
  const isChanged = from !== status || !sameReasons(before.reasons, standing.reasons);
  return {
    state: {
      ...standing,
      lastSeenAt: now,
      offlineAt: offlineAfter(now, heartbeatSeconds),
      status,
      statusChangedAt: from === status ? before.statusChangedAt : now,
      sampledAt: before.sampledAt,
      netRxBytes: beat.netRxBytes ?? null,
      netTxBytes: beat.netTxBytes ?? null,
      netRxBytesPerSecond: rate(before.netRxBytes, beat.netRxBytes, elapsed),
      netTxBytesPerSecond: rate(before.netTxBytes, beat.netTxBytes, elapsed),
      clockSkewSeconds: skew,
    },
    transition: isChanged ? { from, to: status } : null,
  };
}

function sameReasons(a: readonly StoredReason[], b: readonly StoredReason[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ code, message }, at) => code === b[at]?.code && message === b[at]?.message)
  );
}

/** Bytes per second between two readings of a counter; a counter that went down was reset and tells nothing yet. */
function rate(before: number | null, after: number | null | undefined, seconds: number): number | null {
  if (before === null || after == null || seconds <= 0 || after < before) return null;
  return (after - before) / seconds;
}

/** What was measured at one time, as it is stored. */
export interface Sample {
  at: Date;
  cpu_percent: number;
  memory_percent: number;
  disk_percent: number;
  net_rx_bytes: number | null;
  net_tx_bytes: number | null;
  load_average: number | null;
}

// Small differences are transport delay and are left alone, so that a sample replayed twice keeps its timestamp; larger
// ones are the clock's, and are taken out in whole steps for the same reason.
const skewStepSeconds = 30;

/** The samples that a beat brings: its own, and those replayed. What is too old or too far ahead is left out. */
export function samplesOf({ beat, receivedAt }: ReceivedBeat, clockSkewSeconds: number | null): Sample[] {
  const shift = Math.trunc((clockSkewSeconds ?? 0) / skewStepSeconds) * skewStepSeconds * 1000;
  const oldest = receivedAt.getTime() - lateLimitMs;
  const newest = receivedAt.getTime() + aheadLimitMs;
  return [{ ...beat, timestamp: beat.sentAt ?? receivedAt }, ...(beat.samples ?? [])]
    .map((sample) => ({
      at: new Date(sample.timestamp.getTime() - shift),
      cpu_percent: sample.cpuPercent,
      memory_percent: sample.memoryPercent,
      disk_percent: sample.diskPercent,
      net_rx_bytes: sample.netRxBytes ?? null,
      net_tx_bytes: sample.netTxBytes ?? null,
      load_average: sample.loadAverage ?? null,
    }))
    .filter(({ at }) => at.getTime() > oldest && at.getTime() <= newest);
}

/**
 * The hours whose rollup has to be made again for this sample: its own, and the one after where the next sample's
 * network rate may count from it. None for an ordinary sample: the first one of the current hour has marked that hour,
 * which is not rolled up before it is over.
 */
export function hoursToMark(at: Date, sampledAt: Date | null, now: Date, heartbeatSeconds: number): number[] {
  const hour = hourOf(at);
  if (hour === hourOf(now) && sampledAt !== null && hourOf(sampledAt) === hour) return [];
  const reach = hourOf(new Date(at.getTime() + rateReachMs(heartbeatSeconds)));
  const hours = [hour];
  for (let next = hour + hourMs; next <= reach; next += hourMs) hours.push(next);
  return hours;
}
