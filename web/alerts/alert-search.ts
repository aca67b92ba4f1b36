import type { AlertRuleKind } from '../generated/graphql.ts';

export const alertStatuses = ['FIRING', 'ACKNOWLEDGED', 'PENDING', 'RESOLVED'] as const;
export const severities = ['CRITICAL', 'WARNING', 'INFO'] as const;

/** All there are, which the compiler sees to. */
const rules = {
  OFFLINE: true,
  CPU: true,
  MEMORY: true,
  DISK: true,
  COMPONENT_UNHEALTHY: true,
  COMMAND_FAILED: true,
  DUPLICATE_IDENTITY: true,
  POLICY_VIOLATION: true,
} satisfies Record<AlertRuleKind, true>;
export const alertRules = Object.keys(rules) as AlertRuleKind[];

/** Whether it is among those that the API answers where no state is asked for. */
export function isActive(status: (typeof alertStatuses)[number]): boolean {
  return status === 'FIRING' || status === 'ACKNOWLEDGED';
}

/** What the address says of the list. */
export interface AlertSearch {
  status?: (typeof alertStatuses)[number];
  severity?: (typeof severities)[number];
  rule?: AlertRuleKind;
  instance?: string;
}

export function alertSearch(given: Record<string, unknown>): AlertSearch {
  const status = alertStatuses.find((one) => one === given['status']);
  const severity = severities.find((one) => one === given['severity']);
  const rule = alertRules.find((one) => one === given['rule']);
  return {
    ...(status ? { status } : {}),
    ...(severity ? { severity } : {}),
    ...(rule ? { rule } : {}),
    ...(typeof given['instance'] === 'string' ? { instance: given['instance'] } : {}),
  };
}
