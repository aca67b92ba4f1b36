import type { KubeClient } from '../cluster/api/client.js';
import { deploymentsPath, fieldManager, manifestOf, type Desired } from './manifest.js';
import type { KubeDeployment } from './rollout.js';

export interface Application {
  id: string;
  namespace: string;
  name: string;
  desired: Desired;
  /** Takes fields from others who own them. */
  isForced?: boolean;
  isDryRun?: boolean;
}

/** Applies what the panel wants, and answers what the cluster has then, or would have. */
export async function applyDeployment(client: KubeClient, of: Application): Promise<KubeDeployment> {
  return client.get<KubeDeployment>(`${deploymentsPath(of.namespace)}/${of.name}`, {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    query: {
      fieldManager,
      fieldValidation: 'Strict',
      force: of.isForced ?? false,
      dryRun: of.isDryRun ? 'All' : undefined,
    },
    body: manifestOf(of, of.desired),
  });
}
