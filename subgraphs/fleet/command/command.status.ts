import { registerEnumType } from 'type-graphql';

export enum CommandStatus {
  PENDING = 'PENDING',
  IN_PROGRESS = 'IN_PROGRESS',
  CANCELLING = 'CANCELLING',
  SUCCESS = 'SUCCESS',
  INCOMPLETE = 'INCOMPLETE',
  FAILED = 'FAILED',
  DELIVERY_TIMED_OUT = 'DELIVERY_TIMED_OUT',
  CANCELLED = 'CANCELLED',
}

registerEnumType(CommandStatus, {
  name: 'CommandStatus',
  description: 'How a command as a whole is, after the states of AWS SSM Run Command.',
  valuesConfig: {
    PENDING: { description: 'No instance has taken it up yet.' },
    IN_PROGRESS: { description: 'Some instance has; not all have ended.' },
    CANCELLING: { description: 'It was cancelled, and instances that had begun are still at it.' },
    SUCCESS: { description: 'Every instance succeeded.' },
    INCOMPLETE: {
      description: 'All have ended and some without success, but no more of them failed than `maxErrors`.',
    },
    FAILED: { description: 'More instances failed than `maxErrors`, or none could be reached any more.' },
    DELIVERY_TIMED_OUT: { description: 'No instance took it up before `expiresAt`.' },
    CANCELLED: { description: 'It was cancelled before all instances had begun.' },
  },
});

export enum InvocationStatus {
  PENDING = 'PENDING',
  DELAYED = 'DELAYED',
  IN_PROGRESS = 'IN_PROGRESS',
  SUCCESS = 'SUCCESS',
  FAILED = 'FAILED',
  DELIVERY_TIMED_OUT = 'DELIVERY_TIMED_OUT',
  EXECUTION_TIMED_OUT = 'EXECUTION_TIMED_OUT',
  CANCELLED = 'CANCELLED',
  TERMINATED = 'TERMINATED',
  UNDELIVERABLE = 'UNDELIVERABLE',
}

registerEnumType(InvocationStatus, {
  name: 'InvocationStatus',
  description: 'How a command is on one instance, after the states of AWS SSM Run Command.',
  valuesConfig: {
    PENDING: { description: 'Not taken up yet.' },
    DELAYED: {
      description: 'Handed to the node, which has not said that it took it; it is handed out again.',
    },
    IN_PROGRESS: { description: 'The node has begun.' },
    SUCCESS: { description: 'The node reported success.' },
    FAILED: { description: 'The node reported failure. Counts as an error.' },
    DELIVERY_TIMED_OUT: {
      description: 'The node did not take it before `expiresAt`. Does not count as an error.',
    },
    EXECUTION_TIMED_OUT: {
      description: 'The node began and did not report an end in time. Counts as an error.',
    },
    CANCELLED: { description: 'The command was cancelled before the node had begun.' },
    TERMINATED: { description: 'The command had more errors than `maxErrors` before the node had begun.' },
    UNDELIVERABLE: {
      description: 'The instance left the fleet before it ended. Does not count as an error.',
    },
  },
});

const ends = [
  InvocationStatus.SUCCESS,
  InvocationStatus.FAILED,
  InvocationStatus.DELIVERY_TIMED_OUT,
  InvocationStatus.EXECUTION_TIMED_OUT,
  InvocationStatus.CANCELLED,
  InvocationStatus.TERMINATED,
  InvocationStatus.UNDELIVERABLE,
] as const;

/** The statuses from which nothing moves on: the first of them to come stands. */
export const endStatuses: ReadonlySet<InvocationStatus> = new Set(ends);

/** Those of instances that a node may still take up. */
export const waitingStatuses = [InvocationStatus.PENDING, InvocationStatus.DELAYED] as const;

/** How many instances of a command are in which status; none is absent. */
export type StatusCounts = Partial<Record<InvocationStatus, number>>;

export function errorsIn(counts: StatusCounts): number {
  return (counts.FAILED ?? 0) + (counts.EXECUTION_TIMED_OUT ?? 0);
}

export function waitingIn(counts: StatusCounts): number {
  return (counts.PENDING ?? 0) + (counts.DELAYED ?? 0);
}

interface StatusTerms {
  total: number;
  maxErrors: number;
  isCancelled: boolean;
  /** It is to begin later: of some of its instances that may have ended before, by leaving. */
  isPlanned: boolean;
}

/** The one function that a command's status comes from. */
export function commandStatusOf(
  counts: StatusCounts,
  { total, maxErrors, isCancelled, isPlanned }: StatusTerms,
): CommandStatus {
  const isOpen = waitingIn(counts) + (counts.IN_PROGRESS ?? 0) > 0;
  if (isOpen && isCancelled) return CommandStatus.CANCELLING;
  if (isOpen)
    return isPlanned || counts.PENDING === total ? CommandStatus.PENDING : CommandStatus.IN_PROGRESS;
  if (counts.SUCCESS === total) return CommandStatus.SUCCESS;
  if (errorsIn(counts) > maxErrors || counts.UNDELIVERABLE === total) return CommandStatus.FAILED;
  if (isCancelled && (counts.CANCELLED ?? 0) > 0) return CommandStatus.CANCELLED;
  if (counts.DELIVERY_TIMED_OUT === total) return CommandStatus.DELIVERY_TIMED_OUT;
  return CommandStatus.INCOMPLETE;
}
