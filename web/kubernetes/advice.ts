import type { DeploymentStatus } from '../generated/graphql.ts';

const ofClusters: Record<string, string> = {
  UNREACHABLE:
    'See whether its API server runs and can be reached from the panel. It is looked at every ten seconds.',
  CERTIFICATE: 'Its certificate is not the one that the kubeconfig names: give the present kubeconfig below.',
  TARGET_REFUSED:
    'Its address is a private one. Who runs the panel can let it through (ALLOW_PRIVATE_TARGETS).',
  NOT_READY: 'The cluster itself says that it is not ready: look at its control plane.',
  CREDENTIAL_REFUSED:
    'Give a kubeconfig below whose user may get, list, watch, create, patch and delete deployments everywhere.',
  NOT_WATCHED:
    'What is shown of its deployments is old. See what stands between the panel and its API server: watches stay open for long.',
  CREDENTIAL_UNREADABLE: 'The panel can not open what it kept: give the kubeconfig again below.',
  GRANT_ENDED: 'What runs there goes on. Give a kubeconfig of your own below.',
  ADDRESS_PROVED: 'What runs there goes on. Give a kubeconfig of your own below.',
  OTHER_CLUSTER: 'Another cluster answers at its address. Nothing is read from that one or applied to it.',
  CREDENTIAL_ENDED: 'Give a new kubeconfig below.',
  CREDENTIAL_ENDING: 'Give a new kubeconfig below before it ends.',
};

/** What to do about what is wrong with a cluster. */
export function clusterAdvice(reason: string | null): string | undefined {
  return reason === null ? undefined : ofClusters[reason];
}

const ofDeployments: Record<string, string> = {
  PAUSED: 'Somebody has paused its rollout: `kubectl rollout resume` lets it go on.',
  REPLICA_FAILURE:
    'The cluster makes no pods for it: a quota, or a rule of the cluster. Its own words are above.',
  PROGRESS_DEADLINE_EXCEEDED:
    'Its pods do not come up. Most often the image can not be had or ends at once: try another one below.',
  CLUSTER_AWAY: 'It is applied once the cluster answers.',
  CREDENTIAL_REFUSED: 'The cluster does not take its credential: give it another one at its page.',
  FIELD_CONFLICT: 'Others own what it would change: take that over below, or leave it to them.',
  REFUSED: 'The cluster does not take it as it is: change it below.',
  DELETION_REFUSED: 'The cluster does not let the panel delete it. It is tried until it is done.',
  TOO_LATE: 'It was not applied in time: let its placement go on.',
};

/** What to do about what is wrong with a deployment. */
export function deploymentAdvice(reason: string | null, status: DeploymentStatus): string | undefined {
  return reason === null || status === 'RUNNING' ? undefined : ofDeployments[reason];
}
