/** A server went from one phase to another, or changed in the one that it is in. */
export interface ServerChanged {
  serverId: string;
  /** Null when it is new. */
  from: string | null;
  to: string;
}

/** A cluster was registered, changed or removed. */
export interface ClusterChanged {
  clusterId: string;
  /** Null when it is new. */
  from: string | null;
  to: string;
  isRemoved: boolean;
}

/** A placement went from one status to another, or came further in the one that it is in. */
export interface PlacementChanged {
  placementId: string;
  /** Null when it is new. */
  from: string | null;
  to: string;
  partition: number;
}

/** A deployment is new, changed, or is gone. */
export interface DeploymentChanged {
  deploymentId: string;
  clusterId: string;
  /** Null when it is new. */
  from: string | null;
  to: string;
}
