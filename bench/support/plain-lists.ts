import { createServer } from 'node:http';

import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';

// What one would write by hand with client-node: every cluster is asked, and 200 of what they answer are shown. A process of
// its own, so that its CPU time is its own: started by lists-peer.ts, which sends it the kubeconfigs.
const apis = await new Promise<AppsV1Api[]>((resolve) =>
  process.once('message', (kubeconfigs: readonly string[]) =>
    resolve(
      kubeconfigs.map((text) => {
        const config = new KubeConfig();
        config.loadFromString(text);
        return config.makeApiClient(AppsV1Api);
      }),
    ),
  ),
);
const server = createServer((_request, response) => {
  void Promise.all(apis.map(async (apps) => apps.listDeploymentForAllNamespaces())).then(
    (lists) => {
      const rows = lists.flatMap(({ items }, at) =>
        items.map(({ metadata, spec, status }) => ({
          id: metadata?.uid,
          cluster_id: at,
          namespace: metadata?.namespace,
          name: metadata?.name,
          image: spec?.template.spec?.containers[0]?.image,
          replicas: spec?.replicas,
          ready_replicas: status?.readyReplicas ?? 0,
          status: (status?.availableReplicas ?? 0) >= (spec?.replicas ?? 1) ? 'running' : 'progressing',
          created_at: metadata?.creationTimestamp,
        })),
      );
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(rows.slice(0, 200)));
    },
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(Number(process.env['PORT']), '127.0.0.1', () => process.send?.('ready'));
process.once('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
  process.disconnect();
});
