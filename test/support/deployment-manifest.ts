/** A deployment of one container, as its author writes it. */
export function manifest(name: string, image: string, more: { replicas?: number; deadline?: number } = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: more.replicas ?? 2,
      ...(more.deadline === undefined ? {} : { progressDeadlineSeconds: more.deadline }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            { name: 'main', image, env: [{ name: 'A', value: 'a' }], ports: [{ containerPort: 80 }] },
          ],
        },
      },
    },
  };
}
