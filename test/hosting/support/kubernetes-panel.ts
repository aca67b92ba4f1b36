import { silentLogger } from '#platform/logger.js';
import {
  startKubernetesSandbox,
  type Access,
  type KubernetesSandbox,
  type KubernetesSandboxOptions,
} from '#sandbox/kubernetes/start.js';

import type { Answer } from '../../support/http.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { Tenant } from '../../support/world.js';

/** A panel, and Kubernetes stand-ins on the same clock, which it may reach although they are on loopback. */
export interface KubernetesPanel extends TestPanel {
  kubernetes(options?: Partial<KubernetesSandboxOptions>): Promise<KubernetesSandbox>;
  /** Moves time on, second by second, until it is so. */
  pass(isSo: () => Promise<boolean> | boolean, what: string): Promise<void>;
  /** Moves time on by so many seconds, and lets whoever was woken work after each. */
  seconds(count: number): Promise<void>;
}

export async function startKubernetesPanel(settings: Record<string, string> = {}): Promise<KubernetesPanel> {
  const panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1', ...settings });
  const sandboxes: KubernetesSandbox[] = [];
  const { clock } = panel;
  const stop = async () => {
    await panel.stop();
    await Promise.all(sandboxes.map(async (sandbox) => sandbox.stop()));
  };
  const seconds = async (count: number) => {
    for (let passed = 0; passed < count; passed += 1) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  return Object.assign(Object.create(panel) as TestPanel, panel, {
    kubernetes: async (options: Partial<KubernetesSandboxOptions> = {}) => {
      const sandbox = await startKubernetesSandbox({ port: 0, clock, logger: silentLogger, ...options });
      sandboxes.push(sandbox);
      return sandbox;
    },
    pass: async (isSo: () => Promise<boolean> | boolean, what: string) => {
      for (const end = Date.now() + 60_000; !(await isSo());) {
        if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
        await seconds(1);
      }
    },
    seconds,
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

export interface ClusterBody {
  id: string;
  name: string;
  provider: string;
  version: string;
  nodes: number;
  status: string;
  region: string;
}

export interface ClusterView {
  id: string;
  status: string;
  reason: string | null;
  message: string | null;
  version: string;
  nodes: number;
  nodesReady: number;
  cpuCores: number;
  memoryGb: number;
  credentialExpiresAt: string | null;
}

let named = 0;

export async function registerOverRest(
  tenant: Tenant,
  kubeconfig: string,
  more: Record<string, unknown> = {},
): Promise<Answer<ClusterBody & { error?: string; details?: Record<string, unknown> }>> {
  const name = `cluster-${(named += 1)}`;
  return tenant.rest('/api/k8s/clusters', {
    body: { name, provider: 'hetzner', region: 'eu-central', kubeconfig, ...more },
  });
}

/** A cluster that is registered and watched; its id. */
export async function cluster(
  tenant: Tenant,
  sandbox: KubernetesSandbox,
  { access = {}, ...more }: { access?: Access } & Record<string, unknown> = {},
): Promise<string> {
  const { status, body, text } = await registerOverRest(tenant, sandbox.kubeconfig(access), more);
  if (status !== 201) throw new Error(`${status} ${text}`);
  return body.id;
}

export async function clusterOf(tenant: Tenant, id: string): Promise<ClusterView> {
  const { data, errors } = await tenant.graphql<{ cluster: ClusterView }>(
    `query($id: ID!) { cluster(id: $id) { id status reason message version nodes nodesReady cpuCores memoryGb credentialExpiresAt } }`,
    { id },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data!.cluster;
}

/** The tenant signed in anew, after so much time that its token has ended. */
export async function signedIn(panel: TestPanel, tenant: Tenant): Promise<Tenant> {
  const { email, password } = tenant.account;
  const answer = await panel.world.login(email, password);
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
  return new Tenant(panel.world, tenant.account, answer.body);
}
