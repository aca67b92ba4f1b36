import { Arg, Authorized, Ctx, ID, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Pod, PodLog, PodLogInput } from './pod.js';
import type { PodsService } from './pods.service.js';

const away =
  'CONFLICT (CREDENTIAL_REFUSED), (CLUSTER_REFUSED) where its user may not do that, (OTHER_CLUSTER); UNAVAILABLE (CLUSTER_AWAY) when it ' +
  'does not answer within 10 seconds.';

@Resolver()
export class PodResolver {
  constructor(private readonly pods: PodsService) {}

  @Authorized('hosting.deployment.read')
  @Query(() => [Pod], {
    description:
      'The pods of a deployment, by the panel or by others, and why they are not ready. The cluster is asked for it, whose user has ' +
      'to be allowed to list pods. Those that are not ready first, 200 at the most (of the first 1000); none of a deployment that is ' +
      `gone. NOT_FOUND; ${away}`,
  })
  async deploymentPods(
    @Arg('deploymentId', () => ID, { description: 'The deployment.' }) deploymentId: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Pod[]> {
    return this.pods.pods(operation, deploymentId);
  }

  @Authorized('hosting.pod-log.read')
  @Query(() => PodLog, {
    description:
      'The last lines that a container of a deployment has written. They are whatever it writes, secrets too. The cluster is asked for ' +
      'it, whose user has to be allowed to get `pods/log`. NOT_FOUND of a deployment, or of a pod that is none of its; VALIDATION_FAILED; CONFLICT (NO_LOG) ' +
      `where it has not started, or not before; ${away}`,
  })
  async podLog(
    @Arg('input', () => PodLogInput, { description: 'The log.' }) input: PodLogInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<PodLog> {
    return this.pods.log(operation, input);
  }
}
