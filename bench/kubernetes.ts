import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';

import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startKubernetesSandbox, type KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { onCpuMs } from './support/cpu.js';
import { Load } from './support/load.js';
import { fixed, publish } from './support/report.js';
import { build, openStage } from './support/stage.js';

const clusters = 50;
const deploymentsEach = 200;
const path = '/api/k8s/deployments?limit=200';
const rounds = 12;
const discarded = 2;
const roundMs = 2_000;

/** Lists across clusters from what watches keep, against a handler that asks every cluster for each request. */
export async function kubernetesBench(): Promise<void> {
  build();
  const stage = await openStage();
  const sandboxes = await Promise.all(
    Array.from({ length: clusters }, async () =>
      startKubernetesSandbox({ port: 0, clock: systemClock, logger: silentLogger, stepMs: 100 }),
    ),
  );
  const peer = await startPeer(sandboxes);
  try {
    for (const sandbox of sandboxes) await fill(sandbox);
    const panel = await stage.panel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1', LOG_LEVEL: 'error' });
    const token = await register(panel.url, sandboxes);
    for (;;) {
      const [row] = await stage.sql<{ known: number }>(
        `select count(*)::int as known from hosting.deployment where status = 'RUNNING'`,
      );
      if (row!.known >= clusters * deploymentsEach) break;
      await sleep(1_000);
    }
    await sleep(5_000);
    const ours = new Load(panel.url, 4, () => ({
      path,
      method: 'GET',
      headers: { authorization: `Bearer ${token}` },
    }));
    const theirs = new Load(peer.url, 4, () => ({ path: '/deployments', method: 'GET', headers: {} }));
    const ratios: number[] = [];
    const cpuMs: number[] = [];
    const listed = () =>
      sandboxes.reduce((sum, each) => sum + (each.requests()['GET /apis/apps/v1/deployments'] ?? 0), 0);
    let askedByPanel = 0;
    for (let round = 0; round < rounds; round += 1) {
      const before = { cpu: onCpuMs(panel.pid), lists: listed() };
      const mine = await ours.run(roundMs);
      const after = { cpu: onCpuMs(panel.pid), lists: listed() };
      const other = await theirs.run(roundMs);
      if (mine.failures > 0 || other.failures > 0) throw new Error('a list failed');
      if (round < discarded) continue;
      askedByPanel += after.lists - before.lists;
      ratios.push(mine.rate / other.rate);
      cpuMs.push((after.cpu - before.cpu) / mine.answered);
    }
    await ours.stop();
    await theirs.stop();
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
    const [ratio, cpu] = [median(ratios), median(cpuMs)];
    publish({
      name: 'kubernetes',
      setup: `${clusters} clusters with ${deploymentsEach} deployments each at stand-ins; a page of 200 of them all. Panel, database, stand-ins and the peer share the machine`,
      figures: [
        {
          what: 'CPU of the panel process for a list (ms)',
          value: fixed(cpu, 2),
          target: '< 50',
          isMet: cpu < 50,
        },
        {
          what: 'lists a second, panel / a handler that asks the clusters',
          value: fixed(ratio, 1),
          target: '>= 20',
          isMet: ratio >= 20,
        },
        {
          what: 'requests to clusters while the panel listed',
          value: fixed(askedByPanel, 0),
          target: '0',
          isMet: askedByPanel === 0,
        },
      ],
      details: { ratios, cpuMs },
    });
  } finally {
    await peer.stop();
    await stage.stop();
    await Promise.all(sandboxes.map(async (sandbox) => sandbox.stop()));
  }
}

async function fill(sandbox: KubernetesSandbox): Promise<void> {
  const apps = appsOf(sandbox);
  for (let made = 0; made < deploymentsEach; made += 1) {
    const name = `app-${made}`;
    await apps.createNamespacedDeployment({
      namespace: 'default',
      body: {
        metadata: { name },
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: 'main', image: 'nginx:1.27' }] },
          },
        },
      },
    });
  }
}

function appsOf(sandbox: KubernetesSandbox): AppsV1Api {
  const config = new KubeConfig();
  config.loadFromString(sandbox.kubeconfig({ user: 'bench', by: 'token' }));
  return config.makeApiClient(AppsV1Api);
}

async function register(url: string, sandboxes: readonly KubernetesSandbox[]): Promise<string> {
  const post = async <Answer>(to: string, body: object, token?: string): Promise<Answer> => {
    const response = await fetch(url + to, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${to}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  };
  const { access_token: token } = await post<{ access_token: string }>('/api/auth/register', {
    email: 'kubernetes@bench.test',
    password: 'correct horse battery',
    name: 'Bench',
    company: 'Bench',
  });
  for (const [at, sandbox] of sandboxes.entries())
    await post(
      '/api/k8s/clusters',
      {
        name: `bench-${at}`,
        provider: 'bench',
        region: 'here',
        kubeconfig: sandbox.kubeconfig({ by: 'token' }),
      },
      token,
    );
  return token;
}

/** What one would write by hand with client-node: every cluster is asked, and 200 of what they answer are shown. */
async function startPeer(
  sandboxes: readonly KubernetesSandbox[],
): Promise<{ url: string; stop: () => Promise<void> }> {
  const apis = sandboxes.map(appsOf);
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
