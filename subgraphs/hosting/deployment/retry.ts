import type { KubeError } from '../cluster/api/kube-error.js';
import type { DeploymentChange } from './change.service.js';

/** How long an attempt may take before somebody else tries again. */
export const claimMs = 60_000;

/** Longer than a call that was sent may be under way. */
export const lateMs = 30_000;

/** What is due in a tenant that is suspended is put off by so much; it is woken when the tenant is restored. */
export const suspendedMs = 3_600_000;

const mostPauseMs = 300_000;
/** Before what a cluster refuses to delete is tried again. */
const refusedMs = 60_000;

/** What a deployment says while its cluster cannot be asked, and when that is tried again. */
export function awayFor({ kind, message }: KubeError, now: Date, failures: number): DeploymentChange {
  const isCredential = kind === 'UNAUTHORIZED';
  return {
    reason: isCredential ? 'CREDENTIAL_REFUSED' : 'CLUSTER_AWAY',
    message: isCredential
      ? 'The cluster does not take its credential: it goes on once updateCluster has replaced that'
      : `The cluster could not be asked: ${message}`,
    failures: failures + 1,
    dueAt: new Date(now.getTime() + Math.min(10_000 * 2 ** failures, mostPauseMs)),
  };
}

/** The same while its cluster refuses to delete it, which a rule or the rights of the panel's user may end. */
export function undeletedFor({ message }: KubeError, now: Date, failures: number): DeploymentChange {
  return {
    reason: 'DELETION_REFUSED',
    message,
    failures: failures + 1,
    dueAt: new Date(now.getTime() + refusedMs),
  };
}
