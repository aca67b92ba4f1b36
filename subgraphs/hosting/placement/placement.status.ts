import { registerEnumType } from 'type-graphql';

export enum PlacementStatus {
  PLACING = 'PLACING',
  PLACED = 'PLACED',
  STOPPED = 'STOPPED',
  REMOVING = 'REMOVING',
  REMOVED = 'REMOVED',
}

registerEnumType(PlacementStatus, {
  name: 'PlacementStatus',
  description: 'How far a placement is.',
  valuesConfig: {
    PLACING: { description: 'It is rolled out, partition by partition.' },
    PLACED: { description: 'It runs in all its clusters, or in all but those that may fail.' },
    STOPPED: {
      description:
        'A partition was bad: those after it are as they were. `resumePlacement` tries it once more.',
    },
    REMOVING: { description: 'Its deployments are being deleted.' },
    REMOVED: { description: 'It is gone.' },
  },
});

export enum PlacementTargetStatus {
  WAITING = 'WAITING',
  DEPLOYING = 'DEPLOYING',
  DONE = 'DONE',
  FAILED = 'FAILED',
}

registerEnumType(PlacementTargetStatus, {
  name: 'PlacementTargetStatus',
  description: 'How far a placement is in one cluster.',
  valuesConfig: {
    WAITING: { description: 'Its partition has yet to come.' },
    DEPLOYING: { description: 'It is applied and rolled out.' },
    DONE: { description: 'It runs there as it is wanted.' },
    FAILED: { description: 'It does not; `reason` says why.' },
  },
});

/**
 * How to read this table: a placement in the status on the left may move to any on its right. REMOVED is the end.
 */
export const placementMoves: Readonly<Record<PlacementStatus, readonly PlacementStatus[]>> = {
  PLACING: [PlacementStatus.PLACED, PlacementStatus.STOPPED, PlacementStatus.REMOVING],
  PLACED: [PlacementStatus.PLACING, PlacementStatus.REMOVING],
  STOPPED: [PlacementStatus.PLACING, PlacementStatus.REMOVING],
  REMOVING: [PlacementStatus.REMOVED],
  REMOVED: [],
};

/** How long a cluster may take to take and roll out what is wanted, before it counts as failed there. */
export const targetDeadlineMs = 15 * 60_000;

/** In which partition each of so many clusters is, from 1: each has the given part of them, and one at the least. */
export function partitionsOf(clusters: number, percent: number): number[] {
  const size = Math.max(1, Math.ceil((clusters * percent) / 100));
  return Array.from({ length: clusters }, (_, at) => Math.floor(at / size) + 1);
}
