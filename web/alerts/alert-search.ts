export const alertStatuses = ['FIRING', 'ACKNOWLEDGED', 'PENDING', 'RESOLVED'] as const;
export const severities = ['CRITICAL', 'WARNING', 'INFO'] as const;

/** Whether it is among those that the API answers where no state is asked for. */
export function isActive(status: (typeof alertStatuses)[number]): boolean {
  return status === 'FIRING' || status === 'ACKNOWLEDGED';
}

/** What the address says of the list. */
export interface AlertSearch {
  status?: (typeof alertStatuses)[number];
  severity?: (typeof severities)[number];
  instance?: string;
}

export function alertSearch(given: Record<string, unknown>): AlertSearch {
  const status = alertStatuses.find((one) => one === given['status']);
  const severity = severities.find((one) => one === given['severity']);
  return {
    ...(status ? { status } : {}),
    ...(severity ? { severity } : {}),
    ...(typeof given['instance'] === 'string' ? { instance: given['instance'] } : {}),
  };
}
