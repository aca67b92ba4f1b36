import { headOf } from '#platform/cut-text.js';
import { mended } from '#platform/mended-text.js';

import { DeploymentStatus } from './deployment.status.js';
import type { KubeDeployment, KubeStatus } from './kube-deployment.js';

/** How far a rollout is. */
export interface Rollout {
  status: DeploymentStatus;
  reason: string | null;
  message: string | null;
}

/**
 * How a deployment is, by the rules of `kubectl rollout status`: what the controller has not observed yet says nothing;
 * a deadline that has passed is a failure; it runs once all replicas are new and available and no old ones are left.
 */
export function rolloutOf({ metadata, spec, status: told }: KubeDeployment): Rollout {
  const status: KubeStatus = told ?? {};
  const progressing = (reason: string, message: string): Rollout => ({
    status: DeploymentStatus.PROGRESSING,
    reason,
    message,
  });
  if (metadata.deletionTimestamp !== undefined)
    return { status: DeploymentStatus.DELETING, reason: null, message: null };
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0))
    return progressing('NOT_OBSERVED', 'The cluster has yet to take it up');
  const conditions = status.conditions ?? [];
  const stuck = conditions.find(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );
  if (stuck)
    return {
      status: DeploymentStatus.FAILED,
      reason: 'PROGRESS_DEADLINE_EXCEEDED',
      message: cut(stuck.message ?? 'Its rollout did not come on within its deadline'),
    };
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const isDone =
    updatedReplicas >= wanted && replicas <= updatedReplicas && availableReplicas >= updatedReplicas;
  if (isDone) return { status: DeploymentStatus.RUNNING, reason: null, message: null };
  if (spec.paused) return progressing('PAUSED', 'Its rollout is paused in the cluster');
  const failure = conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True');
  if (failure)
    return progressing('REPLICA_FAILURE', cut(failure.message ?? 'The cluster could not start a replica'));
  if (updatedReplicas < wanted)
    return progressing('UPDATING', `${updatedReplicas} of ${wanted} replicas are updated`);
  if (replicas > updatedReplicas)
    return progressing('ENDING_OLD', `${replicas - updatedReplicas} old replicas are yet to end`);
  return progressing('STARTING', `${availableReplicas} of ${updatedReplicas} updated replicas are available`);
}

const cut = (text: string): string => mended(headOf(text, 500));
