import { reasonKey, StatusReasonCode, type StoredReason } from '../instance/instance.status.js';
import { ComponentStatus, type Heartbeat } from './heartbeat.rules.js';

/** How many beats in a row spoke against what is told now of a measurement that flaps. */
export type Streaks = Partial<Record<StatusReasonCode, number>>;

/** What is told of an instance, and what is building up behind it. */
export interface Standing {
  reasons: readonly StoredReason[];
  streaks: Streaks;
}

/** A line of versions: major.minor. */
export interface VersionLine {
  major: number;
  minor: number;
}

const heldBeats = 3;
const highPercent = 95;
const disk = { fullPercent: 95, clearPercent: 93 };
const loads = [
  { code: StatusReasonCode.CPU_HIGH, field: 'cpuPercent', what: 'The CPU' },
  { code: StatusReasonCode.MEMORY_HIGH, field: 'memoryPercent', what: 'Memory' },
] as const;
const skew = { limitSeconds: 60, clearSeconds: 50 };

type Finding = Omit<StoredReason, 'since'>;

/**
 * What is wrong with an instance after a beat. What the node says of itself counts at once, and is over with the first
 * beat that does not say it. What is measured has
 * hysteresis both ways, so that a value around its limit does not flap: a busy CPU or full memory has to hold for
 * three beats and to be gone for three; disk and clock have a higher limit to come than to go. What was not measured
 * says nothing and leaves things as they are.
 */
export function judge(
  beat: Heartbeat,
  seen: {
    clockSkewSeconds: number | null;
    /** That of the beat, or the one from before where it tells none. */
    version: string;
    before: Standing;
    baseline: VersionLine | null;
    now: Date;
  },
): Standing {
  const { before, now } = seen;
  const had = (code: StatusReasonCode) => before.reasons.some((reason) => reason.code === code);
  const findings: Finding[] = componentFindings(beat);
  const hadFullDisk = had(StatusReasonCode.DISK_NEARLY_FULL);
  const isDiskFull =
    beat.diskPercent === null
      ? hadFullDisk
      : beat.diskPercent >= (hadFullDisk ? disk.clearPercent : disk.fullPercent);
  if (isDiskFull) {
    findings.push({
      code: StatusReasonCode.DISK_NEARLY_FULL,
      message: `The disk is at ${disk.fullPercent} % or more`,
    });
  }
  const hadSkew = had(StatusReasonCode.CLOCK_SKEW);
  const isClockOff =
    seen.clockSkewSeconds === null
      ? hadSkew
      : Math.abs(seen.clockSkewSeconds) > (hadSkew ? skew.clearSeconds : skew.limitSeconds);
  if (isClockOff) {
    findings.push({
      code: StatusReasonCode.CLOCK_SKEW,
      message: `The node's clock is more than ${skew.limitSeconds} seconds off`,
    });
  }
  const streaks: Streaks = {};
  for (const { code, field, what } of loads) {
    const value = beat[field];
    const told = before.streaks[code] ?? 0;
    const streak = value === null ? told : value >= highPercent === had(code) ? 0 : told + 1;
    const isTold = streak >= heldBeats ? !had(code) : had(code);
    if (streak > 0 && streak < heldBeats) streaks[code] = streak;
    if (isTold) findings.push({ code, message: `${what} stays at ${highPercent} % or more` });
  }
  const invalid = invalidFinding(beat, before);
  if (invalid) findings.push(invalid.finding);
  if (invalid?.streak) streaks[StatusReasonCode.METRIC_INVALID] = invalid.streak;
  const line = versionLine(seen.version);
  if (line && seen.baseline && isOlder(line, seen.baseline)) {
    findings.push({
      code: StatusReasonCode.VERSION_SKEW,
      message: `It runs ${line.major}.${line.minor}, most of the fleet ${seen.baseline.major}.${seen.baseline.minor}`,
    });
  }
  return {
    reasons: findings.map((finding) => ({ ...finding, since: sinceOf(finding, before, now) })),
    streaks,
  };
}

function componentFindings({ health }: Heartbeat): Finding[] {
  return (health ?? [])
    .filter(({ status }) => status !== ComponentStatus.HEALTHY)
    .map(({ component, status, message }) => ({
      code: StatusReasonCode.COMPONENT_UNHEALTHY,
      component,
      message: `${component} is ${status.toLowerCase()}${message ? `: ${message}` : ''}`,
    }));
}

/** Told at once, and over after three beats in which everything could be used. */
function invalidFinding(
  { invalid = [] }: Heartbeat,
  before: Standing,
): { finding: Finding; streak: number } | undefined {
  const code = StatusReasonCode.METRIC_INVALID;
  if (invalid.length > 0) return { finding: { code, message: invalid.join('; ') }, streak: 0 };
  const had = before.reasons.find((reason) => reason.code === code);
  const streak = (before.streaks[code] ?? 0) + 1;
  return had && streak < heldBeats ? { finding: { code, message: had.message }, streak } : undefined;
}

/** A reason that was told before too keeps its beginning. */
function sinceOf(finding: Finding, before: Standing, now: Date): string {
  const same = before.reasons.find((reason) => reasonKey(reason) === reasonKey(finding));
  return same?.since ?? now.toISOString();
}

/** The major.minor of a version such as 0.2.9 or v1.4; null when it is not written like that. */
export function versionLine(version: string): VersionLine | null {
  const [, major, minor] = /^v?(\d{1,6})\.(\d{1,6})(?:\D|$)/.exec(version) ?? [];
  return major === undefined || minor === undefined ? null : { major: Number(major), minor: Number(minor) };
}

function isOlder(line: VersionLine, than: VersionLine): boolean {
  return line.major === than.major ? line.minor < than.minor : line.major < than.major;
}
