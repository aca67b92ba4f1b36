import { bootMachine } from '#agent/machine.js';
import { memoryStateStore } from '#agent/state-store.js';
import type { Clock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import {
  startHetznerSandbox,
  type HetznerSandbox,
  type HetznerSandboxOptions,
} from '#sandbox/hetzner/start.js';

import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { freePort } from '../../support/process.js';
import { Tenant } from '../../support/world.js';

/** A panel whose Hetzner is the stand-in, on the same clock; servers there run simulated nodes. */
export interface HostingPanel extends TestPanel {
  hetzner: HetznerSandbox;
  /** Moves time on, second by second, until it is so. */
  pass(isSo: () => Promise<boolean> | boolean, what: string): Promise<void>;
  /** User data that machines have booted with. */
  booted: string[];
}

export async function startHostingPanel(
  options: Partial<HetznerSandboxOptions> & { settings?: Record<string, string> } = {},
): Promise<HostingPanel> {
  const { settings, ...ofHetzner } = options;
  const port = await freePort();
  let panelClock: Clock | undefined;
  const clock: Clock = {
    now: () => panelClock?.now() ?? new Date(),
    delay: async (ms, signal) =>
      panelClock ? panelClock.delay(ms, signal) : new Promise<void>(() => undefined),
  };
  const booted: string[] = [];
  const hetzner = await startHetznerSandbox({
    port: 0,
    clock,
    logger: silentLogger,
    boot: async ({ userData }) => {
      booted.push(userData);
      return bootMachine({
        userData,
        clock,
        logger: silentLogger,
        stateStore: memoryStateStore(),
        firstBeatWithinMs: 1_000,
      });
    },
    ...ofHetzner,
  });
  const panel = await startTestPanel({
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    HETZNER_API_BASE: hetzner.url,
    PROVIDER_TIMEOUT_SECONDS: '2',
    ...settings,
  });
  panelClock = panel.clock;
  const stop = async () => {
    await hetzner.stop();
    await panel.stop();
  };
  const pass: HostingPanel['pass'] = async (isSo, what) => {
    for (const end = Date.now() + 100_000; !(await isSo());) {
      if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
      await panel.clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  };
  return Object.assign(Object.create(panel) as TestPanel, panel, {
    hetzner,
    booted,
    pass,
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

export interface ServerView {
  id: string;
  name: string;
  status: string;
  phase: string;
  reason: string | null;
  message: string | null;
  ipAddress: string | null;
  providerId: string | null;
  instanceId: string | null;
  location: string;
}

export const serverFields = 'id name status phase reason message ipAddress providerId instanceId location';

export async function connect(tenant: Tenant, token: string) {
  return tenant.graphql(
    'mutation($input: ConnectProviderInput!) { connectProvider(input: $input) { id status configured sandbox regions } }',
    { input: { provider: 'hetzner', token } },
  );
}

export async function provision(tenant: Tenant, input: Record<string, unknown>) {
  return tenant.graphql<{ provisionServer: ServerView }>(
    `mutation($input: ProvisionServerInput!) { provisionServer(input: $input) { ${serverFields} } }`,
    { input: { provider: 'hetzner', region: 'fsn1', size: 'cx22', ...input } },
  );
}

export async function decommission(tenant: Tenant, id: string, more: Record<string, unknown> = {}) {
  return tenant.graphql<{ decommissionServer: ServerView }>(
    `mutation($input: DecommissionServerInput!) { decommissionServer(input: $input) { ${serverFields} } }`,
    { input: { id, ...more } },
  );
}

export async function serverOf(tenant: Tenant, id: string): Promise<ServerView> {
  const { data, errors } = await tenant.graphql<{ server: ServerView }>(
    `query($id: ID!) { server(id: $id) { ${serverFields} } }`,
    { id },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data!.server;
}

/** Asks for a server and waits until it is in this phase. */
export async function serverIn(
  panel: HostingPanel,
  tenant: Tenant,
  input: Record<string, unknown>,
  phase: string,
): Promise<ServerView> {
  const { data, errors } = await provision(tenant, input);
  if (errors) throw new Error(JSON.stringify(errors));
  const { id } = data!.provisionServer;
  await reaches(panel, tenant, id, phase);
  return serverOf(tenant, id);
}

export async function reaches(panel: HostingPanel, tenant: Tenant, id: string, phase: string): Promise<void> {
  let seen = '';
  await panel
    .pass(async () => {
      const now = await serverOf(tenant, id);
      seen = JSON.stringify(now);
      return now.phase === phase;
    }, phase)
    .catch((error: unknown) => {
      throw new Error(`${String(error)}; it is ${seen}`);
    });
}

/** The tenant signed in anew, after so much time that its token has ended. */
export async function signedIn(panel: HostingPanel, tenant: Tenant): Promise<Tenant> {
  const { email, password } = tenant.account;
  const answer = await panel.world.login(email, password);
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
  return new Tenant(panel.world, tenant.account, answer.body);
}

/** A tenant with an account at the stand-in. */
export async function hostingTenant(
  panel: HostingPanel,
  plan: 'FREE' | 'PRO' = 'PRO',
): Promise<{ tenant: Tenant; token: string }> {
  const tenant = await panel.world.tenant();
  if (plan === 'PRO') await tenant.grantPlan('PRO');
  const token = panel.hetzner.token();
  const { errors } = await connect(tenant, token);
  if (errors) throw new Error(JSON.stringify(errors));
  return { tenant, token };
}
