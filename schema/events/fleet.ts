/** A group was made, changed or removed. */
export interface GroupChanged {
  groupId: string;
  name: string;
  /** Of a live group: all that is given must hold. Null of a static one. */
  filter: { tags?: string[] | null; status?: string | null; q?: string | null } | null;
  /** Of a static group all who are in it now; null when they are the same as before, and of a live one. */
  instanceIds: string[] | null;
  isRemoved: boolean;
}

/** What some of a tenant's instances measure, of that which its policies are about; each at least every five minutes. */
export interface MetricsMeasured {
  instances: {
    instanceId: string;
    /** When the newest beat came that it is of. */
    at: string;
    /** By path, as `metrics.cpu.avg_1h`; what was not measured is left out. */
    metrics: Record<string, number>;
  }[];
}

/** How many instances a tenant has from now on. */
export interface InstancesCounted {
  count: number;
}

/** How a client's fleet is from now on, in figures, for its provider; told of tenants that have one only. One with a lower version is stale. */
export interface HealthCounted {
  healthy: number;
  degraded: number;
  offline: number;
  /** Alerts that fire and that nobody has acknowledged. */
  critical: number;
  warning: number;
  info: number;
}

export interface InstanceEnrolled {
  instanceId: string;
  name: string;
  hostname: string;
  /** Where browsers reach the node. */
  baseUrl: string;
  /** The only ones that sign-in codes are sent to. */
  redirectUris: string[];
  enrollmentTokenId: string;
  /** Absent in events from before it was told. */
  version?: string;
  tags?: string[];
}

/** An instance's status went from one to another, or its reasons changed. */
export interface InstanceChanged {
  instanceId: string;
  from: 'HEALTHY' | 'DEGRADED' | 'OFFLINE' | null;
  to: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
}

/** Something waits for these nodes; each asks for it with its own credential. */
export interface CommandOffered {
  commandId: string;
  instanceIds: string[];
}

/** A command was sent, or changed on one instance, or on many at once (`instanceId` is null then). */
export interface CommandProgressed {
  commandId: string;
  /** The kind: `UPDATE`, `RESTART`, ... */
  command: string;
  /** Of the command as a whole; it has ended by SUCCESS, INCOMPLETE, FAILED, DELIVERY_TIMED_OUT or CANCELLED. */
  status: string;
  instanceId: string | null;
  instanceStatus: string | null;
}

/** An alert began to fire, was acknowledged, or was resolved. `from` is null when it fired at first sight. */
export interface AlertChanged {
  alertId: string;
  instanceId: string;
  /** `OFFLINE`, `CPU`, `MEMORY`, `DISK`, `COMPONENT_UNHEALTHY`, `COMMAND_FAILED`, `DUPLICATE_IDENTITY`. */
  rule: string;
  severity: 'INFO' | 'WARNING' | 'CRITICAL';
  from: 'PENDING' | 'FIRING' | 'ACKNOWLEDGED' | 'RESOLVED' | null;
  to: 'PENDING' | 'FIRING' | 'ACKNOWLEDGED' | 'RESOLVED';
}

/** A silence was made, or was ended before its time. */
export interface SilenceChanged {
  silenceId: string;
  endsAt: string;
}

/** An instance was renamed or tagged; this is how it is now. */
export interface InstanceUpdated {
  instanceId: string;
  name: string;
  tags: string[];
  /** Told once of those that there were before it was listened for. */
  hostname?: string;
  status?: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
}

/** An instance left the fleet for good. */
export interface InstanceDecommissioned {
  instanceId: string;
  name: string;
}

/** A new credential waits for a node, to be handed out with its next beat. */
export interface CredentialOffered {
  instanceId: string;
}

/** Credentials of the instance of a lower generation are refused from now on. */
export interface CredentialRevoked {
  instanceId: string;
  belowGeneration: number;
}

/** A node reports other facts of itself than before, or runs another version. */
export interface FactsChanged {
  instanceId: string;
  /** The version of Cloud OS that it runs. */
  version: string;
  /** All that it reports now, as it came; null when only the version is another. */
  facts: Record<string, unknown> | null;
  reportedAt: string;
}
