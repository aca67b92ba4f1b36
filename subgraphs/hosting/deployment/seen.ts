import type { Deployment } from './deployment.entity.js';
import { DeploymentStatus } from './deployment.status.js';
import type { KubeDeployment, KubeStatus } from './kube-deployment.js';
import { rolloutOf } from './rollout.js';

export type SeenFields = Pick<
  Deployment,
  | 'uid'
  | 'resourceVersion'
  | 'image'
  | 'replicas'
  | 'readyReplicas'
  | 'updatedReplicas'
  | 'availableReplicas'
  | 'status'
  | 'reason'
  | 'message'
>;

/**
 * What a watch told of a deployment while the panel's own call for it was under way: whichever is later counts, once that
 * has its answer.
 */
export interface SeenMeanwhile {
  uid: string;
  resourceVersion: string;
  /** Null when it was gone. */
  fields: SeenFields | null;
}

/** What a deployment's row says once it was seen in its cluster. */
export function seenFields(seen: KubeDeployment): SeenFields {
  const { metadata, spec } = seen;
  const status: KubeStatus = seen.status ?? {};
  return {
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    image: spec.template.spec.containers[0]?.image ?? '',
    replicas: spec.replicas ?? 1,
    readyReplicas: status.readyReplicas ?? 0,
    updatedReplicas: status.updatedReplicas ?? 0,
    availableReplicas: status.availableReplicas ?? 0,
    ...rolloutOf(seen),
  };
}

const refusals: readonly (string | null)[] = ['REFUSED', 'FIELD_CONFLICT'];

/** What was seen, but for what only the panel knows: that it is to be deleted, or that a change of it was refused. */
export function knownBetter(
  row: Pick<Deployment, 'status' | 'reason' | 'message'>,
  seen: SeenFields,
): SeenFields {
  const isKept =
    (row.status === DeploymentStatus.DELETING && seen.status !== DeploymentStatus.DELETING) ||
    (row.status === DeploymentStatus.FAILED && refusals.includes(row.reason));
  const { status, reason, message } = row;
  return isKept ? { ...seen, status, reason, message } : seen;
}
