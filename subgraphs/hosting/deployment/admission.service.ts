import type { Admission, Asked, Asker } from '#platform/admission/admission.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { Cluster } from '../cluster/cluster.entity.js';
import { clusterFacts } from '../cluster/facts.js';
import type { Desired } from './manifest.js';

/** A deployment, as far as policies may have something against it. */
export interface AskedDeployment {
  action: 'deployment.create' | 'deployment.update';
  cluster: Cluster;
  namespace: string;
  desired: Desired;
}

/** Asks governance before something is deployed. */
export class DeploymentAdmission {
  constructor(private readonly admission: Admission) {}

  async require(operation: Operation, asked: AskedDeployment): Promise<void> {
    await this.admission.require(operation, askedOf(asked));
  }

  async requireFor(asker: Omit<Asker, 'area'>, asked: AskedDeployment): Promise<void> {
    await this.admission.requireFor({ ...asker, area: 'hosting' }, askedOf(asked));
  }
}

function askedOf({ action, cluster, namespace, desired }: AskedDeployment): Asked {
  const { image, replicas } = desired;
  const told = { cluster: cluster.id, namespace, image, replicas };
  return {
    subject: 'DEPLOYMENT',
    action,
    tags: cluster.tags,
    facts: {
      ...Object.fromEntries(Object.entries(told).map(([name, value]) => [`deployment.${name}`, value])),
      ...clusterFacts(cluster),
    },
    isChange: false,
    sentence: 'this be deployed',
  };
}
