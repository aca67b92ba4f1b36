import { AlertRuleKind, AlertSeverity } from './alert.kinds.js';

/** What can be set of a rule. */
export interface RuleSettings {
  isEnabled: boolean;
  severity: AlertSeverity;
  threshold: number | null;
  forSeconds: number;
  keepFiringForSeconds: number;
}

/**
 * What holds for tenants that set nothing. Two beats of the usual 30 seconds have to confirm what one found. A node is
 * only told offline after three missed beats, so that needs no more patience, and less on the way back. How a command
 * ended is certain at once, both ways; an identity that two nodes use was found often enough before it counts as such.
 */
export const defaultRules: Readonly<Record<AlertRuleKind, RuleSettings>> = {
  OFFLINE: rule(AlertSeverity.CRITICAL, null, 0, 60),
  CPU: rule(AlertSeverity.WARNING, 90, 60, 300),
  MEMORY: rule(AlertSeverity.WARNING, 90, 60, 300),
  DISK: rule(AlertSeverity.CRITICAL, 90, 60, 300),
  COMPONENT_UNHEALTHY: rule(AlertSeverity.WARNING, null, 60, 300),
  COMMAND_FAILED: rule(AlertSeverity.WARNING, null, 0, 0),
  DUPLICATE_IDENTITY: rule(AlertSeverity.WARNING, null, 0, 0),
  POLICY_VIOLATION: rule(AlertSeverity.WARNING, null, 0, 0),
};

export const ruleKinds: readonly AlertRuleKind[] = Object.values(AlertRuleKind);

function rule(
  severity: AlertSeverity,
  threshold: number | null,
  forSeconds: number,
  keepFiringForSeconds: number,
): RuleSettings {
  return { isEnabled: true, severity, threshold, forSeconds, keepFiringForSeconds };
}

/** What a rule has found, in one sentence. */
export function messageOf(
  rule: AlertRuleKind,
  found: { value: number | null; threshold: number | null; component: string; detail: string | null },
): string {
  const measured = (what: string) =>
    `${what} is at ${Math.round((found.value ?? 0) * 10) / 10} %, the limit is ${found.threshold ?? 100} %`;
  switch (rule) {
    case AlertRuleKind.OFFLINE:
      return 'Heartbeats have stopped';
    case AlertRuleKind.CPU:
      return measured('The CPU');
    case AlertRuleKind.MEMORY:
      return measured('Memory');
    case AlertRuleKind.DISK:
      return measured('The disk');
    case AlertRuleKind.COMPONENT_UNHEALTHY:
      return `${found.component} is unhealthy${found.detail ? `: ${found.detail}` : ''}`;
    case AlertRuleKind.COMMAND_FAILED:
      return `The command ${found.component} ${found.detail ?? 'failed'}`;
    case AlertRuleKind.DUPLICATE_IDENTITY:
      return 'Two nodes seem to use its credential';
    case AlertRuleKind.POLICY_VIOLATION:
      return `The policy ${found.detail ?? found.component} does not hold`;
  }
}
