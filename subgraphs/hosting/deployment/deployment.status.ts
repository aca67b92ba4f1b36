import { registerEnumType } from 'type-graphql';

export enum DeploymentStatus {
  PENDING = 'PENDING',
  PROGRESSING = 'PROGRESSING',
  RUNNING = 'RUNNING',
  FAILED = 'FAILED',
  DELETING = 'DELETING',
  DELETED = 'DELETED',
}

registerEnumType(DeploymentStatus, {
  name: 'DeploymentStatus',
  description: 'How a deployment is.',
  valuesConfig: {
    PENDING: { description: 'It is to be applied, or nobody knows yet whether it was.' },
    PROGRESSING: { description: 'It is rolled out; `reason` says how far.' },
    RUNNING: { description: 'All its replicas are of its newest state and available.' },
    FAILED: { description: 'Its rollout did not come on within its deadline, or the cluster refuses it.' },
    DELETING: { description: 'It is being deleted, with its pods.' },
    DELETED: { description: 'It is gone.' },
  },
});
