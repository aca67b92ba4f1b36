import { dataOf } from '../../support/answers.js';
import type { Answer } from '../../support/http.js';
import type { Tenant } from '../../support/world.js';
import type { KubernetesPanel } from './kubernetes-panel.js';

export interface DeploymentBody {
  id: string;
  name: string;
  image: string;
  status: string;
}

export interface DeploymentState extends DeploymentBody {
  replicas: number;
  reason: string | null;
}

/** Where deployments are made: of a test, so it is asked for anew each time. */
export interface Place {
  panel: KubernetesPanel;
  tenant: Tenant;
  clusterId: string;
}

/** What people do with the deployments of one cluster, over REST. */
export function deploymentsAt(place: () => Place) {
  const stateOf = async (id: string): Promise<DeploymentState> =>
    dataOf(
      await place().tenant.graphql<{ deployment: DeploymentState }>(
        'query($id: ID!) { deployment(id: $id) { id name image replicas status reason } }',
        { id },
      ),
    ).deployment;
  /** Each as its name and status. */
  const listed = async (): Promise<string[]> => {
    const { tenant, clusterId } = place();
    const { body } = await tenant.rest<DeploymentBody[]>(`/api/k8s/deployments?cluster_id=${clusterId}`);
    return body.map(({ name, status }) => `${name} ${status}`);
  };
  return {
    create: async (name: string): Promise<Answer<DeploymentBody>> => {
      const { tenant, clusterId } = place();
      return tenant.rest('/api/k8s/deployments', {
        body: { cluster_id: clusterId, name, image: 'nginx:1' },
      });
    },
    put: async (id: string, body: object): Promise<Answer<DeploymentBody>> =>
      place().tenant.rest(`/api/k8s/deployments/${id}`, { method: 'PUT', body }),
    remove: async (id: string): Promise<Answer> =>
      place().tenant.rest(`/api/k8s/deployments/${id}`, { method: 'DELETE' }),
    stateOf,
    reaches: async (id: string, status: string): Promise<void> =>
      place().panel.pass(async () => (await stateOf(id)).status === status, status),
    listed,
    isListed: (text: string) => async () => (await listed()).includes(text),
  };
}
