import type { Alert } from './alert.entity.js';
import { AlertPhase, AlertRuleKind, AlertStatus } from './alert.kinds.js';

/** What is found anew with every beat, so that without beats nothing is known of it. */
const seenInBeats: readonly AlertRuleKind[] = [
  AlertRuleKind.CPU,
  AlertRuleKind.MEMORY,
  AlertRuleKind.DISK,
  AlertRuleKind.COMPONENT_UNHEALTHY,
];

/** What is known of an alert's condition just now, whether or not somebody has taken it up. */
export function phaseOf(
  { status, rule, clearSince }: Pick<Alert, 'status' | 'rule' | 'clearSince'>,
  isOffline: boolean,
): AlertPhase {
  if (status === AlertStatus.RESOLVED) return AlertPhase.RESOLVED;
  if (status === AlertStatus.PENDING) return AlertPhase.PENDING;
  if (isOffline && seenInBeats.includes(rule)) return AlertPhase.NO_DATA;
  return clearSince ? AlertPhase.RECOVERING : AlertPhase.FIRING;
}
