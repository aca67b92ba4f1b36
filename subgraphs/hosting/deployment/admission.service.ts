import type { Admission, Asked, Asker } from '#platform/admission/admission.js';
import { ApiError } from '#platform/errors.js';
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

/** How many questions are under way at once. */
const askedAtOnce = 10;

/** Asks governance before something is deployed. */
export class DeploymentAdmission {
  constructor(private readonly admission: Admission) {}

  async require(operation: Operation, asked: AskedDeployment): Promise<void> {
    await this.admission.require(operation, askedOf(asked));
  }

  /** The same of many, side by side. */
  async requireAll(operation: Operation, all: readonly AskedDeployment[]): Promise<void> {
    await sideBySide(all, async (asked) => this.require(operation, asked));
  }

  /**
   * Where no request asks: why policies are against some of them, by the ids of their clusters. Undefined when that cannot
   * be asked.
   */
  async refusalsOf(
    asker: Omit<Asker, 'area'>,
    all: readonly AskedDeployment[],
  ): Promise<ReadonlyMap<string, string> | undefined> {
    const refused = new Map<string, string>();
    try {
      await sideBySide(all, async (asked) => {
        const refusal = await this.refusalOf(asker, asked);
        if (refusal !== undefined) refused.set(asked.cluster.id, refusal);
      });
    } catch (error) {
      if (error instanceof ApiError) return undefined;
      throw error;
    }
    return refused;
  }

  private async refusalOf(asker: Omit<Asker, 'area'>, asked: AskedDeployment): Promise<string | undefined> {
    try {
      await this.admission.requireFor({ ...asker, area: 'hosting' }, askedOf(asked));
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'CONFLICT') return error.message;
      throw error;
    }
  }
}

async function sideBySide<Each>(all: readonly Each[], work: (each: Each) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += askedAtOnce)
    await Promise.all(all.slice(at, at + askedAtOnce).map(work));
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
