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

/** What policies may be about of a cluster is other than it was told, or the cluster was removed. */
export interface ClusterFactsChanged {
  clusterId: string;
  name: string;
  tags: readonly string[];
  /** By the paths of governance's catalogue. */
  facts: Readonly<Record<string, unknown>>;
  /** One that is lower is stale. */
  version: number;
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

/** Who makes up the panel, who leads it, or how its database stands. Of the tenant `panel`, which nobody belongs to. */
export interface HaChanged {
  /** The leader's node; null while there is none. */
  leader: string | null;
}
