import { StatusReasonCode, type StoredReason } from '../instance/instance.status.js';
import { ComponentStatus, type Heartbeat } from './heartbeat.inputs.js';

const diskFullPercent = 95;
const skewLimitSeconds = 60;

/** What a beat shows to be wrong. A reason that the beat before had too keeps its `since`. */
export function reasonsIn(
  beat: Heartbeat,
  clockSkewSeconds: number | null,
  before: readonly StoredReason[],
  now: Date,
): StoredReason[] {
  const reasons: Omit<StoredReason, 'since'>[] = [];
  for (const { component, status, message } of beat.health ?? []) {
    if (status === ComponentStatus.HEALTHY) continue;
    const words = message ? `: ${message}` : '';
    reasons.push({
      code: StatusReasonCode.COMPONENT_UNHEALTHY,
      message: `${component} is ${status.toLowerCase()}${words}`,
    });
  }
  if (beat.diskPercent >= diskFullPercent) {
    reasons.push({
      code: StatusReasonCode.DISK_NEARLY_FULL,
      message: `The disk is at ${diskFullPercent} % or more`,
    });
  }
  if (clockSkewSeconds !== null && Math.abs(clockSkewSeconds) > skewLimitSeconds) {
    reasons.push({
      code: StatusReasonCode.CLOCK_SKEW,
      message: `The node's clock is more than ${skewLimitSeconds} seconds off`,
    });
  }
  return reasons.map((reason) => ({
    ...reason,
    since:
      before.find(({ code, message }) => code === reason.code && message === reason.message)?.since ??
      now.toISOString(),
  }));
}
