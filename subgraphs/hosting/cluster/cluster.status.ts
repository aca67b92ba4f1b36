import { registerEnumType } from 'type-graphql';

export enum ClusterStatus {
  HEALTHY = 'HEALTHY',
  DEGRADED = 'DEGRADED',
  OFFLINE = 'OFFLINE',
}

registerEnumType(ClusterStatus, {
  name: 'ClusterStatus',
  description: 'How a cluster is. It changes once the cluster has been otherwise for 30 seconds.',
  valuesConfig: {
    HEALTHY: { description: 'It answers, and says that it is ready.' },
    DEGRADED: {
      description:
        'It answers, but is not ready, refuses the credential, or its deployments can not be watched; `reason` says which.',
    },
    OFFLINE: { description: 'It does not answer.' },
  },
});

/** Between two looks at a cluster. */
export const probeMs = 10_000;
/** How long a cluster has to be otherwise before it counts. */
export const thresholdMs = 30_000;

/** What a look at a cluster told. */
export interface Observation {
  status: ClusterStatus;
  reason: string | null;
  message: string | null;
}

export interface Health extends Observation {
  /** Since when looks tell otherwise than `status`, in milliseconds; absent while they do not. */
  otherwiseSince?: number;
}

/**
 * How a cluster is after another look. Going from healthy to not, and back, takes as long as the threshold; from one kind
 * of not to the other is at once, and so is that it is another cluster.
 */
export function healthAfter(before: Health, seen: Observation, now: number): Health {
  const wasHealthy = before.status === ClusterStatus.HEALTHY;
  const isHealthy = seen.status === ClusterStatus.HEALTHY;
  // Another cluster in its place is no blip: nothing of it may be taken for this one's.
  if (wasHealthy === isHealthy || seen.reason === 'OTHER_CLUSTER') return { ...seen };
  const otherwiseSince = before.otherwiseSince ?? now;
  if (now - otherwiseSince >= thresholdMs) return { ...seen };
  return { ...before, otherwiseSince };
}
