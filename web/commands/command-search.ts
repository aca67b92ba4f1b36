export const commandStatuses = [
  'PENDING',
  'IN_PROGRESS',
  'SUCCESS',
  'INCOMPLETE',
  'FAILED',
  'DELIVERY_TIMED_OUT',
  'CANCELLED',
] as const;

export interface CommandSearch {
  status?: (typeof commandStatuses)[number];
}

export function commandSearch(given: Record<string, unknown>): CommandSearch {
  const status = commandStatuses.find((one) => one === given['status']);
  return status ? { status } : {};
}

/** A new command may come with the instance or the tag that it is for. */
export function newCommandSearch(given: Record<string, unknown>): { instance?: string; tag?: string } {
  return {
    ...(typeof given['instance'] === 'string' ? { instance: given['instance'] } : {}),
    ...(typeof given['tag'] === 'string' ? { tag: given['tag'] } : {}),
  };
}
