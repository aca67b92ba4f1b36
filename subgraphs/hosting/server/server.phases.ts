import { registerEnumType } from 'type-graphql';

export enum ServerStatus {
  PROVISIONING = 'PROVISIONING',
  RUNNING = 'RUNNING',
  FAILED = 'FAILED',
  DELETING = 'DELETING',
  DELETED = 'DELETED',
}

registerEnumType(ServerStatus, {
  name: 'ServerStatus',
  description: 'How a server is, in one word.',
  valuesConfig: {
    PROVISIONING: { description: 'It is on its way; `phase` says how far.' },
    RUNNING: { description: 'It is there, with its node in the fleet where Cloud OS was wanted.' },
    FAILED: { description: 'Something has to be done about it; `reason` and `message` say what happened.' },
    DELETING: { description: 'It is being taken down.' },
    DELETED: { description: 'It is gone, and kept for the record.' },
  },
});

export enum ServerPhase {
  REQUESTED = 'REQUESTED',
  CREATING = 'CREATING',
  BOOTING = 'BOOTING',
  ENROLLING = 'ENROLLING',
  READY = 'READY',
  FAILED = 'FAILED',
  ORPHANED = 'ORPHANED',
  DRAINING = 'DRAINING',
  DELETING = 'DELETING',
  DELETED = 'DELETED',
}

registerEnumType(ServerPhase, {
  name: 'ServerPhase',
  description: 'How far a server is.',
  valuesConfig: {
    REQUESTED: { description: 'It was asked for; the provider knows nothing of it yet.' },
    CREATING: { description: 'The provider is told to make it.' },
    BOOTING: { description: 'It is made, and starts.' },
    ENROLLING: { description: 'It is on; its node is to enroll and to beat.' },
    READY: { description: 'It is on, with its node in the fleet where Cloud OS was wanted.' },
    FAILED: { description: 'It did not come about, or was lost.' },
    ORPHANED: {
      description: 'It is at the provider with marks of this tenant, but nobody asked for it here.',
    },
    DRAINING: { description: 'Commands that are under way on its node may still end.' },
    DELETING: { description: 'The provider is told to delete it.' },
    DELETED: { description: 'It is gone, with its node.' },
  },
});

/** A server in the phase on the left may go on to any phase on its right. Nothing follows a phase without a list. */
export const serverMoves: Readonly<Record<ServerPhase, readonly ServerPhase[]>> = {
  [ServerPhase.REQUESTED]: [ServerPhase.CREATING, ServerPhase.DELETING, ServerPhase.FAILED],
  [ServerPhase.CREATING]: [
    ServerPhase.BOOTING,
    ServerPhase.DRAINING,
    ServerPhase.ENROLLING,
    ServerPhase.READY,
    ServerPhase.FAILED,
    ServerPhase.DELETING,
  ],
  [ServerPhase.BOOTING]: [
    ServerPhase.ENROLLING,
    ServerPhase.READY,
    ServerPhase.FAILED,
    ServerPhase.DRAINING,
    ServerPhase.DELETING,
  ],
  [ServerPhase.ENROLLING]: [
    ServerPhase.READY,
    ServerPhase.FAILED,
    ServerPhase.DRAINING,
    ServerPhase.DELETING,
  ],
  [ServerPhase.READY]: [ServerPhase.FAILED, ServerPhase.DRAINING, ServerPhase.DELETING],
  [ServerPhase.FAILED]: [ServerPhase.READY, ServerPhase.DRAINING, ServerPhase.DELETING],
  [ServerPhase.ORPHANED]: [ServerPhase.DELETING],
  // Protecting it calls its end off.
  [ServerPhase.DRAINING]: [ServerPhase.READY, ServerPhase.DELETING],
  [ServerPhase.DELETING]: [ServerPhase.DELETED],
  [ServerPhase.DELETED]: [],
};

const statuses: Readonly<Record<ServerPhase, ServerStatus>> = {
  [ServerPhase.REQUESTED]: ServerStatus.PROVISIONING,
  [ServerPhase.CREATING]: ServerStatus.PROVISIONING,
  [ServerPhase.BOOTING]: ServerStatus.PROVISIONING,
  [ServerPhase.ENROLLING]: ServerStatus.PROVISIONING,
  [ServerPhase.READY]: ServerStatus.RUNNING,
  [ServerPhase.FAILED]: ServerStatus.FAILED,
  [ServerPhase.ORPHANED]: ServerStatus.FAILED,
  [ServerPhase.DRAINING]: ServerStatus.DELETING,
  [ServerPhase.DELETING]: ServerStatus.DELETING,
  [ServerPhase.DELETED]: ServerStatus.DELETED,
};

export function statusOf(phase: ServerPhase): ServerStatus {
  return statuses[phase];
}

export function phasesOf(status: ServerStatus): ServerPhase[] {
  return Object.values(ServerPhase).filter((phase) => statuses[phase] === status);
}
