import type { Deployment } from './deployment.entity.js';
import { rolloutOf, type KubeDeployment } from './rollout.js';

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

/** What a deployment's row says once it was seen in its cluster. */
export function seenFields(seen: KubeDeployment): SeenFields {
  const { metadata, spec, status = {} } = seen;
  return {
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    image: (spec.template.spec.containers[0]?.image ?? '').slice(0, 500),
    replicas: spec.replicas ?? 1,
    readyReplicas: status.readyReplicas ?? 0,
    updatedReplicas: status.updatedReplicas ?? 0,
    availableReplicas: status.availableReplicas ?? 0,
    ...rolloutOf(seen),
  };
}
