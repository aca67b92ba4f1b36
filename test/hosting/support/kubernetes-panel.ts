import { silentLogger } from '#platform/logger.js';
import {
  startKubernetesSandbox,
  type Access,
  type KubernetesSandbox,
  type KubernetesSandboxOptions,
} from '#sandbox/kubernetes/start.js';

import { dataOf } from '../../support/answers.js';
import type { Answer } from '../../support/http.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { Tenant } from '../../support/world.js';

/** A panel, and Kubernetes stand-ins on the same clock, which it may reach although they are on loopback. */
export interface KubernetesPanel extends TestPanel {
  kubernetes(options?: Partial<KubernetesSandboxOptions>): Promise<KubernetesSandbox>;
  /** Moves time on until it is so: by a second, and by a little more the longer it takes. */
  pass(isSo: () => Promise<boolean> | boolean, what: string): Promise<void>;
  /** Moves time on by so many seconds, and lets whoever was woken work several times between two looks at a cluster. */
  seconds(count: number): Promise<void>;
  /** All that hosting tells others, which these mutations are among: the audit trail is made of it. */
  toldOf(...mutations: string[]): Promise<string>;
  /** Takes the cluster out of the panel, which would look at it every ten seconds for as long as it runs. */
  forget(clusterId: string): Promise<void>;
}

const strideSeconds = 5;

export async function startKubernetesPanel(settings: Record<string, string> = {}): Promise<KubernetesPanel> {
  const panel = await startTestPanel({ ALLOW_PRIVATE_TARGETS: '127.0.0.1', ...settings });
  const sandboxes: KubernetesSandbox[] = [];
  const { clock } = panel;
  const stop = async () => {
    await panel.stop();
    await Promise.all(sandboxes.map(async (sandbox) => sandbox.stop()));
  };
  const move = async (ms: number, pauseMs: number) => {
    await clock.advance(ms);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  };
  return Object.assign(Object.create(panel) as TestPanel, panel, {
    kubernetes: async (options: Partial<KubernetesSandboxOptions> = {}) => {
      const sandbox = await startKubernetesSandbox({ port: 0, clock, logger: silentLogger, ...options });
      sandboxes.push(sandbox);
      return sandbox;
    },
    pass: async (isSo: () => Promise<boolean> | boolean, what: string) => {
      // What takes long waits for real time as well, of which there is the more to each second then.
      let [strideMs, pauseMs] = [1_000, 25];
      for (const end = Date.now() + 60_000; !(await isSo());) {
        if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
        await move(strideMs, pauseMs);
        [strideMs, pauseMs] = [Math.min(strideMs * 1.2, strideSeconds * 1_000), Math.min(pauseMs * 1.1, 75)];
      }
    },
    seconds: async (count: number) => {
      for (let left = count; left > 0; left -= strideSeconds)
        await move(Math.min(left, strideSeconds) * 1_000, 50);
    },
    toldOf: async (...mutations: string[]) => {
      const rows = await panel.sql<{ payload: { action: string } }>('select payload from hosting.outbox');
      const actions = new Set(rows.map(({ payload }) => payload.action));
      const missing = mutations.filter((name) => !actions.has(name));
      if (missing.length) throw new Error(`nothing was told of ${missing.join(', ')}`);
      return JSON.stringify(rows);
    },
    forget: async (clusterId: string) => {
      await panel.sql('update hosting.cluster set deleted_at = now() where id = $1', [clusterId]);
    },
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

/** Tenants as they have signed in since. */
const later = new WeakMap<Tenant, Tenant>();

export async function clusterOf(tenant: Tenant, id: string): Promise<ClusterView> {
  const ask = async () =>
    (later.get(tenant) ?? tenant).graphql<{ cluster: ClusterView }>(
      `query($id: ID!) { cluster(id: $id) { id status reason message version nodes nodesReady cpuCores memoryGb credentialExpiresAt } }`,
      { id },
    );
  let { data, errors } = await ask();
  // What takes real time takes more of the panel's than a token is good for.
  if (errors?.[0]?.extensions['code'] === 'UNAUTHENTICATED') {
    later.set(tenant, await signedIn(tenant));
    ({ data, errors } = await ask());
  }
  if (errors) throw new Error(JSON.stringify(errors));
  return data!.cluster;
}

/** The tenant signed in anew, after so much time that its token has ended. */
export async function signedIn(tenant: Tenant): Promise<Tenant> {
  const { email, password } = tenant.account;
  const answer = await tenant.world.login(email, password);
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
  return new Tenant(tenant.world, tenant.account, answer.body);
}

/** Suspends a tenant, or ends that. */
export async function byAdministrator(
  { id, world }: Tenant,
  mutation: 'suspendTenant' | 'restoreTenant',
): Promise<void> {
  dataOf(
    await world.graphql(
      `mutation($id: ID!) { ${mutation}(id: $id) { id } }`,
      { id },
      await world.administrator(),
    ),
  );
}
