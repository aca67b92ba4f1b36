import type { Clock } from '#platform/clock.js';

import type { KubeError } from '../api/kube-error.js';
import { ClusterStatus, type Observation } from '../cluster.status.js';

/** A watch that ends sooner than that was not served. */
const shortMs = 5_000;

/** How the watch of one cluster's deployments goes: kept by whoever watches, for whoever looks at the cluster's health. */
export class Watching {
  private servedSince = Infinity;
  private problem: KubeError | undefined;
  private metAt = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** A list was read, which is all there is. */
  listed(): void {
    this.problem = undefined;
  }

  /** The cluster has answered a watch. */
  begins(): void {
    this.servedSince = this.now;
  }

  /** It is over; whether it was served. */
  ends(): boolean {
    const { isServed } = this;
    if (isServed) this.problem = undefined;
    this.servedSince = Infinity;
    return isServed;
  }

  /** A list, or a watch that was not served, came to nothing. */
  fails(problem: KubeError): void {
    this.problem = problem;
    this.metAt = this.now;
  }

  /** What keeps it from going on, where that was met later than then: the cluster itself was well meanwhile. */
  problemAfter(at: number): KubeError | undefined {
    return this.isServed || this.metAt <= at ? undefined : this.problem;
  }

  private get isServed(): boolean {
    return this.now - this.servedSince >= shortMs;
  }

  private get now(): number {
    return this.clock.now().getTime();
  }
}

/** What a cluster is that is well but for this. */
export function unwatched({ kind, message }: KubeError): Observation {
  const isRefused = kind === 'FORBIDDEN' || kind === 'UNAUTHORIZED';
  return {
    status: ClusterStatus.DEGRADED,
    reason: isRefused ? 'CREDENTIAL_REFUSED' : 'NOT_WATCHED',
    message: isRefused
      ? `It does not let the credential watch its deployments: ${message}`
      : `Its deployments can not be watched, and are shown as they were: ${message}`,
  };
}
