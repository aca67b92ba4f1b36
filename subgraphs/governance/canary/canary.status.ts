import { registerEnumType } from 'type-graphql';

export enum CanaryStatus {
  PENDING = 'PENDING',
  RUNNING = 'RUNNING',
  BAKING = 'BAKING',
  PAUSED = 'PAUSED',
  PROMOTING = 'PROMOTING',
  SUCCEEDED = 'SUCCEEDED',
  ABORTING = 'ABORTING',
  ROLLED_BACK = 'ROLLED_BACK',
  FAILED = 'FAILED',
}

registerEnumType(CanaryStatus, {
  name: 'CanaryStatus',
  description: 'How a canary is.',
  valuesConfig: {
    PENDING: { description: 'It has not begun: its name and its steps can still be changed.' },
    RUNNING: { description: 'The instances of its current step are at the command.' },
    BAKING: { description: 'They have it, and are compared with those that have not.' },
    PAUSED: { description: 'It waits for somebody to resume, promote or abort it. What was sent goes on.' },
    PROMOTING: { description: 'All the others are at the command.' },
    SUCCEEDED: { description: 'All that could be reached have it.' },
    ABORTING: { description: 'It is taken back where it was done.' },
    ROLLED_BACK: { description: 'It was taken back everywhere, or had been done nowhere.' },
    FAILED: { description: 'It was given up, and could not be taken back everywhere.' },
  },
});

export enum CanaryAction {
  PAUSE = 'PAUSE',
  RESUME = 'RESUME',
  PROMOTE = 'PROMOTE',
  ABORT = 'ABORT',
}

registerEnumType(CanaryAction, {
  name: 'CanaryAction',
  description: 'What people do with a canary that is under way.',
  valuesConfig: {
    PAUSE: { description: 'Nothing new begins until it is resumed.' },
    RESUME: {
      description:
        'A paused one goes on where it was. Those of its step that were not reached, or refused, have the command sent again. ' +
        'One that awaits approval goes on with the next step.',
    },
    PROMOTE: {
      description: 'All the others get the command at once; the steps that are left are passed over.',
    },
    ABORT: { description: 'It is taken back where it was done.' },
  },
});

/** What moves a canary on: people, by an action, or what became of its step. */
export type CanaryMove = Lowercase<CanaryAction> | 'start' | 'sent' | 'next' | 'finish' | 'undone' | 'fail';

/**
 * How to read this table: a canary in the status on the left goes by the move to the status on the right; a move that is
 * not there is refused. Of `resume` it is where it was paused; of one that awaits approval it is what follows its step.
 */
export const canaryMoves: Readonly<
  Record<CanaryStatus, Readonly<Partial<Record<CanaryMove, CanaryStatus | 'where it was'>>>>
> = {
  PENDING: { start: CanaryStatus.RUNNING, abort: CanaryStatus.ABORTING },
  RUNNING: {
    sent: CanaryStatus.BAKING,
    pause: CanaryStatus.PAUSED,
    promote: CanaryStatus.PROMOTING,
    abort: CanaryStatus.ABORTING,
  },
  BAKING: {
    next: CanaryStatus.RUNNING,
    promote: CanaryStatus.PROMOTING,
    finish: CanaryStatus.SUCCEEDED,
    pause: CanaryStatus.PAUSED,
    abort: CanaryStatus.ABORTING,
  },
  PROMOTING: {
    finish: CanaryStatus.SUCCEEDED,
    pause: CanaryStatus.PAUSED,
    abort: CanaryStatus.ABORTING,
  },
  PAUSED: {
    resume: 'where it was',
    next: CanaryStatus.RUNNING,
    finish: CanaryStatus.SUCCEEDED,
    promote: CanaryStatus.PROMOTING,
    abort: CanaryStatus.ABORTING,
  },
  ABORTING: { undone: CanaryStatus.ROLLED_BACK, fail: CanaryStatus.FAILED },
  SUCCEEDED: {},
  ROLLED_BACK: {},
  FAILED: {},
};

/** Why a canary is paused whose step is over and waits: what it was told to be, so that resuming it goes on. */
export const awaitingApproval = 'AWAITING_APPROVAL';

/** Why a canary is paused that somebody has paused. */
export const pausedByUser = 'PAUSED_BY_USER';

/** Whether a canary is paused because it was to be, or somebody wanted it: nothing has gone wrong. */
export function isMeant({ reason }: { reason: string | null }): boolean {
  return reason === awaitingApproval || reason === pausedByUser;
}

/** Those in which a repeated action has nothing left to do. */
export const alreadyAfter: Readonly<Record<CanaryAction, readonly CanaryStatus[]>> = {
  PAUSE: [CanaryStatus.PAUSED],
  RESUME: [],
  PROMOTE: [CanaryStatus.PROMOTING],
  ABORT: [CanaryStatus.ABORTING, CanaryStatus.ROLLED_BACK],
};

export const openStatuses = (Object.keys(canaryMoves) as CanaryStatus[]).filter(
  (status) => Object.keys(canaryMoves[status]).length > 0,
);

export enum CanaryMemberStatus {
  WAITING = 'WAITING',
  SENT = 'SENT',
  UPDATED = 'UPDATED',
  FAILED = 'FAILED',
  UNREACHED = 'UNREACHED',
  REFUSED = 'REFUSED',
  GONE = 'GONE',
  ROLLING_BACK = 'ROLLING_BACK',
  ROLLED_BACK = 'ROLLED_BACK',
  ROLLBACK_FAILED = 'ROLLBACK_FAILED',
}

registerEnumType(CanaryMemberStatus, {
  name: 'CanaryMemberStatus',
  description: 'How a canary is on one instance.',
  valuesConfig: {
    WAITING: { description: 'It is not its turn yet.' },
    SENT: { description: 'The command is under way.' },
    UPDATED: { description: 'It reported success.' },
    FAILED: { description: 'It reported failure, or did not end in time.' },
    UNREACHED: { description: 'It did not take the command, so nothing was done there.' },
    REFUSED: { description: 'A mandatory policy did not let the command be sent there.' },
    GONE: { description: 'It left the fleet.' },
    ROLLING_BACK: { description: 'The command that takes it back is under way.' },
    ROLLED_BACK: { description: 'It was taken back.' },
    ROLLBACK_FAILED: { description: 'It could not be taken back.' },
  },
});

export type MemberCounts = Partial<Record<CanaryMemberStatus, number>>;
