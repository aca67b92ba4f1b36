/** What the panel wants of a deployment. */
export interface Desired {
  image: string;
  replicas: number;
  env: Readonly<Record<string, string>>;
  ports: readonly number[];
  /** When its restart was asked for last. */
  restartedAt?: string;
  /** Which of its revisions it is; absent of what a placement wants, and of what a version before revisions wrote. */
  revision?: number;
  /** Takes fields from others who own them. */
  takesOver?: boolean;
}

/** The panel, as managed fields name it. */
export const fieldManager = 'quazzar-control-panel';

/** Marks a deployment as one of the panel's, and tells it from others of its name. */
export const deploymentLabel = 'quazzar.cloud/deployment';

/**
 * Has pods made anew, as a part of their template. Not kubectl's own annotation: whoever restarts with that owns it, and the
 * next change here would be in conflict with them.
 */
export const restartedAtAnnotation = 'quazzar.cloud/restarted-at';

export const deploymentsPath = (namespace: string): string =>
  `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments`;

/** All that the panel says of a deployment, and no more: what it does not say is left to the cluster and to others. */
export function manifestOf(
  of: { id: string; namespace: string; name: string; uid: string | null },
  { image, replicas, env, ports, restartedAt }: Desired,
): object {
  const { id, namespace, name, uid } = of;
  const selector = { [deploymentLabel]: id };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace,
      // Of one that is there: applied late it is refused, and does not come back after it was deleted.
      ...(uid === null ? {} : { uid }),
      labels: {
        'app.kubernetes.io/name': name,
        'app.kubernetes.io/managed-by': fieldManager,
        [deploymentLabel]: id,
      },
    },
    spec: {
      replicas,
      selector: { matchLabels: selector },
      template: {
        metadata: {
          labels: { 'app.kubernetes.io/name': name, ...selector },
          ...(restartedAt === undefined ? {} : { annotations: { [restartedAtAnnotation]: restartedAt } }),
        },
        spec: {
          containers: [
            {
              name,
              image,
              env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
              ports: ports.map((containerPort) => ({ containerPort, protocol: 'TCP' })),
            },
          ],
        },
      },
    },
  };
}
