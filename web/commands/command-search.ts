import type { CommandRowFragment, CommandStatus, InvocationStatus } from '../generated/graphql.ts';
import { oneOf, textOf, withoutEmpty } from '../parts/search.ts';

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

/** The instances of a command by how it is there: what they are called, how many they are, and in which statuses. */
export const resultGroups = {
  failed: { text: 'Failed', counts: 'errors', statuses: ['FAILED', 'EXECUTION_TIMED_OUT'] },
  notRun: {
    text: 'Not run',
    counts: 'notRun',
    statuses: ['DELIVERY_TIMED_OUT', 'UNDELIVERABLE', 'CANCELLED', 'TERMINATED'],
  },
  running: { text: 'At it', counts: 'running', statuses: ['IN_PROGRESS'] },
  waiting: { text: 'Waiting', counts: 'waiting', statuses: ['PENDING', 'DELAYED'] },
  done: { text: 'Done', counts: 'succeeded', statuses: ['SUCCESS'] },
} satisfies Record<
  string,
  { text: string; counts: keyof CommandRowFragment['counts']; statuses: InvocationStatus[] }
>;
export type ResultGroup = keyof typeof resultGroups;
export const resultGroupNames = Object.keys(resultGroups) as ResultGroup[];

export interface ResultSearch {
  show?: ResultGroup;
  /** The last instance of the page before. */
  after?: string;
}

export function resultSearch({ show, after }: Record<string, unknown>): ResultSearch {
  return withoutEmpty({ show: oneOf(resultGroupNames, show), after: textOf(after) });
}

/** A new command may come with the instance, the tag or the group that it is for. */
export interface NewCommandSearch {
  instance?: string;
  tag?: string;
  group?: string;
}

export function newCommandSearch({ instance, tag, group }: Record<string, unknown>): NewCommandSearch {
  return withoutEmpty({ instance: textOf(instance), tag: textOf(tag), group: textOf(group) });
}
