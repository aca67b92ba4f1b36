import type { NodeViewer } from '#platform/viewer.js';

import { offlineAfter, reasonKey, type StoredReason } from '../instance/instance.status.js';
import { sequenceAfter, type SequenceState } from '../lifecycle/duplicate.js';
import { aheadLimitMs, hourMs, hourOf, lateLimitMs, rateReachMs } from '../metrics/tiers.js';
import { digestOf } from '../reported/facts.js';
import { judge, type Streaks, type VersionLine } from './heartbeat.reasons.js';
import type { Heartbeat, Measured } from './heartbeat.rules.js';

/** A beat that waits to be stored: whose it is by the verified credential, and when it came by server time. */
export interface ReceivedBeat {
  node: NodeViewer;
  beat: Heartbeat;
  receivedAt: Date;
  /** How far silence counts then, where the panel was away just before; see hearing.rules.ts. */
  countsTo?: Date;
  requestId: string;
  /** Its trace (W3C), since it is stored with others' beats; null outside of any. */
  traceparent?: string | null;
}

export type Status = 'HEALTHY' | 'DEGRADED' | 'OFFLINE';

/** What of an instance the next beat depends on. */
export interface InstanceState extends SequenceState {
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
  /** What is taken off the timestamps of its samples. */
  clockShiftSeconds: number;
  version: string;
  /** Of the facts that it reported last; null before the first. */
  factsDigest: string | null;
}

/** What it is once it has beaten. */
export type BeatenState = InstanceState & { lastSeenAt: Date };

/** A change of status or of its reasons; `from` is null at the first beat. */
export interface Transition {
  from: Status | null;
  to: Status;
}

/**
 * Whether a later beat was stored already: this one had waited behind it, or came by a slower way. What it measured is
 * still worth storing; what it says of the instance is no longer so. Of two in the same moment the sequence tells.
 */
export function isOvertaken(
  { lastSeenAt, sequence }: InstanceState,
  { beat, receivedAt }: ReceivedBeat,
): boolean {
  if (!lastSeenAt || receivedAt > lastSeenAt) return false;
  return receivedAt < lastSeenAt || (sequence !== null && beat.sequence != null && beat.sequence < sequence);
}

/** What an instance is after a beat that was not overtaken, and the changes that others have to be told of. */
export function afterBeat(
  before: InstanceState,
  { beat, receivedAt, countsTo = receivedAt }: ReceivedBeat,
  baseline: VersionLine | null,
  heartbeatSeconds: number,
): { state: BeatenState; transitions: Transition[] } {
  const { lastSeenAt } = before;
  const isBack = before.status === 'OFFLINE' || !before.offlineAt || before.offlineAt <= countsTo;
  const skew = beat.sentAt ? (beat.sentAt.getTime() - receivedAt.getTime()) / 1000 : null;
  const version = beat.version ?? before.version;
  const standing = judge(beat, {
    clockSkewSeconds: skew,
    version,
    // What was told before an outage says nothing about the time after it.
    before: isBack ? { reasons: [], streaks: {} } : before,
    baseline,
    now: receivedAt,
  });
  const status = standing.reasons.length > 0 ? 'DEGRADED' : 'HEALTHY';
  const from = lastSeenAt === null ? null : isBack ? 'OFFLINE' : before.status;
  const shift = shiftAfter(before.clockShiftSeconds, skew);
  const seconds = secondsBetween(before, receivedAt, skew, shift);
  const rateOf = (earlier: number | null, reading: number | null | undefined) =>
    seconds === null || seconds > rateReachMs(heartbeatSeconds) / 1000
      ? null
      : rate(earlier, reading, seconds);
  const isSameBeat = sentSecondsBetween(before, receivedAt, skew) === 0;
  const transitions: Transition[] = [];
  // Every read has told that it was offline since its deadline, before the expiry sweep came to it: so it is told now.
  if (from === 'OFFLINE' && before.status !== 'OFFLINE')
    transitions.push({ from: before.status, to: 'OFFLINE' });
  if (from !== status || !sameReasons(before.reasons, standing.reasons))
    transitions.push({ from, to: status });
  return {
    state: {
      ...standing,
      ...sequenceAfter(before, beat.sequence ?? null, { isSameBeat, now: receivedAt }),
      lastSeenAt: receivedAt,
      offlineAt: offlineAfter(receivedAt, heartbeatSeconds),
      status,
      statusChangedAt: from === status ? before.statusChangedAt : receivedAt,
      sampledAt: before.sampledAt,
      netRxBytes: beat.netRxBytes ?? null,
      netTxBytes: beat.netTxBytes ?? null,
      netRxBytesPerSecond: rateOf(before.netRxBytes, beat.netRxBytes),
      netTxBytesPerSecond: rateOf(before.netTxBytes, beat.netTxBytes),
      clockSkewSeconds: skew,
      clockShiftSeconds: shift,
      version,
      factsDigest: beat.facts ? digestOf(beat.facts) : before.factsDigest,
    },
    transitions,
  };
}

/** Whether nothing came or went. How a reason is worded changes from beat to beat and is nothing to tell of. */
function sameReasons(before: readonly StoredReason[], after: readonly StoredReason[]): boolean {
  // As with most beats.
  if (before.length === 0 && after.length === 0) return true;
  const keys = new Set(after.map(reasonKey));
  const earlier = new Set(before.map(reasonKey));
  return keys.size === earlier.size && [...keys].every((key) => earlier.has(key));
}

/**
 * Seconds since the newest beat: by the node's clock where both told it and it was not set in between, as beats may be
 * held up on their way and then come in one go; else by when they came. Null before the first.
 */
function secondsBetween(
  { lastSeenAt, clockSkewSeconds, clockShiftSeconds }: InstanceState,
  receivedAt: Date,
  skew: number | null,
  shift: number,
): number | null {
  if (!lastSeenAt) return null;
  if (shift === clockShiftSeconds) {
    const sent = sentSecondsBetween({ lastSeenAt, clockSkewSeconds }, receivedAt, skew);
    if (sent !== null) return sent;
  }
  return (receivedAt.getTime() - lastSeenAt.getTime()) / 1000;
}

/** Seconds between two beats by the node's clock; null where one of them did not tell it. */
function sentSecondsBetween(
  { lastSeenAt, clockSkewSeconds }: Pick<InstanceState, 'lastSeenAt' | 'clockSkewSeconds'>,
  receivedAt: Date,
  skew: number | null,
): number | null {
  if (!lastSeenAt || skew === null || clockSkewSeconds === null) return null;
  const ms = receivedAt.getTime() - lastSeenAt.getTime();
  return Math.round(ms + (skew - clockSkewSeconds) * 1000) / 1000;
}

/** Whole bytes per second between two readings of a counter; a counter that went down was reset and tells nothing yet. */
function rate(before: number | null, after: number | null | undefined, seconds: number): number | null {
  if (before === null || after == null || seconds <= 0 || after < before) return null;
  return Math.round((after - before) / seconds);
}

/** What was measured at one time, as it is stored. */
export interface Sample {
  at: Date;
  cpu_percent: number | null;
  memory_percent: number | null;
  disk_percent: number | null;
  net_rx_bytes: number | null;
  net_tx_bytes: number | null;
  load_average: number | null;
}

const shiftStepSeconds = 30;

/**
 * What is taken off a node's timestamps to have them by the panel's clock, in whole steps. It stays as it is until the
 * measured skew is more than a step away, and lands in the middle between two such moves: so delays on the way and a
 * clock that is slowly corrected never move it back and forth, and a sample that is sent again, in whichever beat, gets
 * the timestamp that it is stored under.
 */
export function shiftAfter(before: number, skewSeconds: number | null): number {
  if (skewSeconds === null || Math.abs(skewSeconds - before) <= shiftStepSeconds) return before;
  return Math.round(skewSeconds / shiftStepSeconds) * shiftStepSeconds;
}

/** The samples that a beat brings: its own, and those replayed. What is too old or too far ahead is left out. */
export function samplesOf(
  { beat, receivedAt }: ReceivedBeat,
  shiftSeconds: number,
): { own: Sample | undefined; replayed: readonly Sample[] } {
  const shifted = (time: Date) => new Date(time.getTime() - shiftSeconds * 1000);
  const oldest = receivedAt.getTime() - lateLimitMs;
  const newest = receivedAt.getTime() + aheadLimitMs;
  const isKept = ({ at }: Sample) => at.getTime() > oldest && at.getTime() <= newest;
  const own = sampleAt(beat, beat.sentAt ? shifted(beat.sentAt) : receivedAt);
  return {
    own: isKept(own) ? own : undefined,
    replayed: beat.samples
      ? beat.samples.map((sample) => sampleAt(sample, shifted(sample.timestamp))).filter(isKept)
      : none,
  };
}

const none: readonly Sample[] = [];

function sampleAt(measured: Measured, at: Date): Sample {
  return {
    at,
    cpu_percent: measured.cpuPercent,
    memory_percent: measured.memoryPercent,
    disk_percent: measured.diskPercent,
    net_rx_bytes: measured.netRxBytes ?? null,
    net_tx_bytes: measured.netTxBytes ?? null,
    load_average: measured.loadAverage ?? null,
  };
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
