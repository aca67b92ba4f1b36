import type { CommandStatus } from '../generated/graphql.ts';

/** All there are, which the compiler sees to. */
const statuses = {
  PENDING: true,
  IN_PROGRESS: true,
  CANCELLING: true,
  SUCCESS: true,
  INCOMPLETE: true,
  FAILED: true,
  DELIVERY_TIMED_OUT: true,
  CANCELLED: true,
} satisfies Record<CommandStatus, true>;
export const commandStatuses = Object.keys(statuses) as CommandStatus[];

export interface CommandSearch {
  status?: CommandStatus;
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
