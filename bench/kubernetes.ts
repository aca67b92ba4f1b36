import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';

import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startKubernetesSandbox, type KubernetesSandbox } from '#sandbox/kubernetes/start.js';

import { cpuSeconds } from './support/cpu.js';
import { startPlainLists } from './support/lists-peer.js';
import { Load } from './support/load.js';
import { fixed, publish } from './support/report.js';
import { build, openStage } from './support/stage.js';

const clusters = 50;
const deploymentsEach = 200;
const path = '/api/k8s/deployments?limit=200';
const rounds = 6;
const discarded = 1;
const roundMs = 1_000;

const cpuMs = (pid: number): number => cpuSeconds(pid) * 1000;

/** Lists across clusters from what watches keep, against a handler that asks every cluster for each request. */
export async function kubernetesBench(): Promise<void> {
  build();
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-bench-'));
  const stage = await openStage();
  const sandboxes = await startClusters(folder);
  const peer = await startPlainLists(
    sandboxes.map((sandbox) => sandbox.kubeconfig({ user: 'peer', by: 'token' })),
  );
  try {
    const panel = await stage.panel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1', LOG_LEVEL: 'error' });
    const token = await register(panel.url, sandboxes);
    for (;;) {
      const [row] = await stage.sql<{ known: number }>(
        `select count(*)::int as known from hosting.deployment where status = 'RUNNING'`,
      );
      if (row!.known >= clusters * deploymentsEach) break;
      await sleep(500);
    }
    await sleep(2_000);
    const headers = { authorization: `Bearer ${token}` };
    const ours = new Load(panel.url, 2, () => ({ path, method: 'GET', headers }));
    const theirs = new Load(peer.url, 1, () => ({ path: '/deployments', method: 'GET', headers: {} }));
    const measured: { rate: number; cpu: number; ours: number; theirs: number }[] = [];
    const listed = () =>
      sandboxes.reduce((sum, each) => sum + (each.requests()['GET /apis/apps/v1/deployments'] ?? 0), 0);
    let askedByPanel = 0;
    for (let round = 0; round < rounds; round += 1) {
      const before = { cpu: cpuMs(panel.pid), lists: listed() };
      const mine = await ours.run(roundMs);
      const between = { cpu: cpuMs(panel.pid), lists: listed() };
      const peerBefore = cpuMs(peer.pid);
      const other = await theirs.run(roundMs);
      const peerCpu = cpuMs(peer.pid) - peerBefore;
      if (mine.failures > 0 || other.failures > 0) throw new Error('a list failed');
      if (round < discarded) continue;
      askedByPanel += between.lists - before.lists;
      const cpus = { ours: (between.cpu - before.cpu) / mine.answered, theirs: peerCpu / other.answered };
      measured.push({ rate: mine.rate / other.rate, cpu: cpus.theirs / cpus.ours, ...cpus });
    }
    await ours.stop();
    await theirs.stop();
    const median = (of: keyof (typeof measured)[number]) =>
      measured.map((each) => each[of]).toSorted((a, b) => a - b)[Math.floor(measured.length / 2)]!;
    publish({
      name: 'kubernetes',
      setup: `${clusters} clusters with ${deploymentsEach} deployments each at stand-ins; a page of 200 of them all. The panel, its database, the peer and the stand-ins (one process) share the machine`,
      figures: [
        {
          what: 'CPU of the panel process for a list (ms)',
          value: fixed(median('ours'), 2),
          target: '< 50',
          isMet: median('ours') < 50,
        },
        {
          what: 'lists a second, panel / a handler that asks the clusters',
          value: fixed(median('rate'), 1),
          target: '>= 20',
          isMet: median('rate') >= 20,
        },
        {
          what: "the same by the two processes' CPU",
          value: fixed(median('cpu'), 1),
          target: '>= 20',
          isMet: median('cpu') >= 20,
        },
        {
          what: 'requests for deployments to clusters while the panel listed',
          value: fixed(askedByPanel, 0),
          target: '0',
          isMet: askedByPanel === 0,
        },
      ],
      details: { measured },
    });
  } finally {
    await peer.stop();
    await stage.stop();
    await Promise.all(sandboxes.map(async (sandbox) => sandbox.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Stand-ins with the same deployments, rolled out: one is filled, and the others go on from what it kept, each with a uid of its own. */
async function startClusters(folder: string): Promise<KubernetesSandbox[]> {
  const options = { port: 0, clock: systemClock, logger: silentLogger, stepMs: 100 };
  const first = join(folder, 'first.json');
  const sandbox = await startKubernetesSandbox({ ...options, stateFile: first });
  const apps = appsOf(sandbox.kubeconfig({ by: 'token' }));
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
  for (
    const isDone = () =>
      sandbox.deployment('default', `app-${deploymentsEach - 1}`)?.status?.['availableReplicas'] === 2;
    !isDone();
  )
    await sleep(100);
  await sandbox.stop();
  const state = JSON.parse(readFileSync(first, 'utf8')) as {
    contents: { objects: Record<string, { metadata: { uid: string } }> };
  };
  const started: KubernetesSandbox[] = [];
  for (let at = 0; at < clusters; at += 1) {
    state.contents.objects['namespaces//kube-system']!.metadata.uid = randomUUID();
    const stateFile = join(folder, `${at}.json`);
    writeFileSync(stateFile, JSON.stringify(state));
    started.push(await startKubernetesSandbox({ ...options, stateFile }));
  }
  return started;
}

function appsOf(kubeconfig: string): AppsV1Api {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
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
