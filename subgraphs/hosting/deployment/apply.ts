import type { KubeClient } from '../cluster/api/client.js';
import { KubeError } from '../cluster/api/kube-error.js';
import { readDeployment, type KubeDeployment } from './kube-deployment.js';
import { deploymentLabel, deploymentsPath, fieldManager, manifestOf, type Desired } from './manifest.js';

/** One deployment of the panel's in its cluster. */
export interface Placed {
  id: string;
  namespace: string;
  name: string;
  /** Null before it was seen there. */
  uid: string | null;
}

export interface Application extends Placed {
  desired: Desired;
}

/** Applies what the panel wants, and answers what the cluster has then. */
export async function applyDeployment(client: KubeClient, of: Application): Promise<KubeDeployment> {
  const deployment = readDeployment(await apply(client, of));
  if (!deployment) throw new KubeError('FAILED', 'It answered with something else than a deployment');
  return deployment;
}

/**
 * Throws what applying would, answers what the cluster would have then, and changes nothing. Where somebody's admission webhook has effects of its own the cluster
 * refuses every dry run, whatever is in it: only applying tells then, and nothing is
 * answered.
 */
export async function tryDeployment(
  client: KubeClient,
  of: Application,
): Promise<KubeDeployment | undefined> {
  try {
    return readDeployment(await apply(client, of, 'All'));
  } catch (error) {
    if (!(error instanceof KubeError) || !isWithoutDryRuns(error)) throw error;
    return undefined;
  }
}

/** Its reason is BadRequest, as of many others: only its sentence tells. */
function isWithoutDryRuns({ options: { status }, message }: KubeError): boolean {
  return status === 400 && /^admission webhook ".*" does not support dry run$/.test(message);
}

async function apply(client: KubeClient, of: Application, dryRun?: 'All'): Promise<unknown> {
  return client.get(`${deploymentsPath(of.namespace)}/${of.name}`, {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    query: {
      fieldManager,
      fieldValidation: 'Strict',
      force: of.desired.takesOver ?? false,
      dryRun,
    },
    body: manifestOf(of, of.desired),
  });
}

/** How far the end of a deployment is: `REPLACED` when what is in its place is not the panel's. */
export type End = 'GONE' | 'ENDING' | 'REPLACED';

/** Has a deployment deleted, and only the very one: what somebody has put in its place meanwhile stays. */
export async function deleteDeployment(client: KubeClient, of: Placed): Promise<End> {
  const there = await lookAt(client, of);
  if (typeof there === 'string') return there;
  const path = `${deploymentsPath(of.namespace)}/${of.name}`;
  try {
    await client.body(path, {
      method: 'DELETE',
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Foreground',
        preconditions: { uid: there.uid },
      },
    });
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'NOT_FOUND') return 'GONE';
    throw error;
  }
  return 'ENDING';
}

/** The uid of the deployment, or what is to be said when it is not there. */
export async function lookAt(
  client: KubeClient,
  { id, namespace, name, uid }: Placed,
): Promise<{ uid: string } | 'GONE' | 'REPLACED'> {
  let found;
  try {
    found = await client.get<{ metadata?: { uid?: string; labels?: Record<string, string> } }>(
      `${deploymentsPath(namespace)}/${name}`,
    );
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'NOT_FOUND') return 'GONE';
    throw error;
  }
  const { uid: isNow, labels } = found.metadata ?? {};
  const isOurs = labels?.[deploymentLabel] === id && (uid === null || isNow === uid);
  return isOurs && isNow !== undefined ? { uid: isNow } : 'REPLACED';
}
