import { bootMachine } from '#agent/machine.js';
import { memoryStateStore, type StateStore } from '#agent/state-store.js';
import type { Clock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import type { CloudSandbox, CloudSandboxOptions } from '#sandbox/cloud/start.js';
import { startDigitalOceanSandbox } from '#sandbox/digitalocean/start.js';
import { startHetznerSandbox } from '#sandbox/hetzner/start.js';

import { startTestPanel, type Mode, type TestPanel } from '../../support/panel.js';
import { freePort } from '../../support/process.js';
import { Tenant } from '../../support/world.js';

/** A provider, and what is ordered there unless told. */
export interface Place {
  provider: 'hetzner' | 'digitalocean';
  region: string;
  size: string;
  /** The driver's own name for the provider in what it tells. */
  called: string;
  /** How it says that no more can be had. */
  quota: { code: string; message: string };
}

export const places: readonly Place[] = [
  {
    provider: 'hetzner',
    region: 'fsn1',
    size: 'cx22',
    called: 'Hetzner',
    quota: { code: 'resource_limit_exceeded', message: 'no more' },
  },
  {
    provider: 'digitalocean',
    region: 'nyc3',
    size: 's-2vcpu-4gb',
    called: 'DigitalOcean',
    quota: { code: 'unprocessable_entity', message: 'this will exceed your droplet limit' },
  },
];

/** Places that are kept for servers whose nodes have yet to come. */
export async function placesKept(panel: Pick<TestPanel, 'sql'>, tenantId: string): Promise<number> {
  const [row] = await panel.sql<{ open: number }>(
    `select count(*)::int as open from fleet.enrollment_token
     where tenant_id = $1 and server_id is not null and uses = 0 and revoked_at is null`,
    [tenantId],
  );
  return row!.open;
}

// Far less than the minute after which a step that was taken up is taken for given up.
const longestStrideMs = 10_000;

// Steps take real time, in which the clock stands still: for what they wait for at a provider no minute passes.
const stepsUnderway = `select from jobs.job
  where name like 'hosting.%' and state in ('created', 'active') and start_after <= now() limit 1`;

/** A panel whose providers are stand-ins, on the same clock; servers there run simulated nodes. */
export interface HostingPanel extends TestPanel {
  hetzner: CloudSandbox;
  digitalocean: CloudSandbox;
  /**
   * Moves time on until it is so: by a second, and by more the longer it takes. Whoever counts what is done in a time has it
   * pass second by second.
   */
  pass(isSo: () => Promise<boolean> | boolean, what: string, longestMs?: number): Promise<void>;
  /** User data that machines have booted with. */
  booted: string[];
  /** What the nodes on them know of themselves. */
  nodes: StateStore[];
  /** Where a token of a provider or of an enrollment is, of all that the panel has answered and kept. */
  leaks(): Promise<string[]>;
}

export async function startHostingPanel(
  options: Partial<CloudSandboxOptions> & { settings?: Record<string, string>; mode?: Mode } = {},
): Promise<HostingPanel> {
  const { settings, mode, ...ofProviders } = options;
  const port = await freePort();
  let panelClock: Clock | undefined;
  const clock: Clock = {
    now: () => panelClock?.now() ?? new Date(),
    delay: async (ms, signal) =>
      panelClock ? panelClock.delay(ms, signal) : new Promise<void>(() => undefined),
  };
  const booted: string[] = [];
  const nodes: StateStore[] = [];
  const publicUrl = `http://127.0.0.1:${port}`;
  // Of processes apart the gateway has a port that nobody knows before.
  let address = publicUrl;
  const cloud: CloudSandboxOptions = {
    port: 0,
    clock,
    logger: silentLogger,
    boot: async ({ userData }) => {
      booted.push(userData);
      const stateStore = memoryStateStore();
      nodes.push(stateStore);
      return bootMachine({
        userData: userData.replaceAll(publicUrl, address),
        clock,
        logger: silentLogger,
        stateStore,
        firstBeatWithinMs: 1_000,
      });
    },
    ...ofProviders,
  };
  const planted: string[] = [];
  const hetzner = planting(await startHetznerSandbox(cloud), planted);
  const digitalocean = planting(await startDigitalOceanSandbox(cloud), planted);
  const panel = await startTestPanel(
    {
      PORT: mode === 'split' ? '0' : String(port),
      PUBLIC_URL: publicUrl,
      HETZNER_API_BASE: hetzner.url,
      DIGITALOCEAN_API_BASE: digitalocean.url,
      CLOUD_OS_INSTALLER: 'https://installer.test/install.sh',
      PROVIDER_TIMEOUT_SECONDS: '2',
      ...settings,
    },
    mode,
  );
  panelClock = panel.clock;
  address = panel.panel.url;
  const { answers, restore } = recordAnswers(address);
  const stop = async () => {
    restore();
    await hetzner.stop();
    await digitalocean.stop();
    await panel.stop();
  };
  const leaks = async () => {
    const secrets = [...planted, ...booted.flatMap((text) => text.match(/flt_[\w-]+/g) ?? [])];
    if (secrets.length < 2 || answers.length < 10)
      throw new Error('nothing was planted, or nothing answered');
    const found = answers.filter(({ text }) => secrets.some((secret) => text.includes(secret)));
    return [...found.map(({ url }) => url), ...(await tablesWith(panel, secrets))];
  };
  const pass: HostingPanel['pass'] = async (isSo, what, longestMs = longestStrideMs) => {
    let strideMs = 1_000;
    for (const end = Date.now() + 200_000; !(await isSo());) {
      if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
      if ((await panel.sql(stepsUnderway)).length === 0) {
        await panel.clock.leap(strideMs);
        strideMs = Math.min(strideMs * 1.3, longestMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  };
  return Object.assign(Object.create(panel) as TestPanel, panel, {
    hetzner,
    digitalocean,
    booted,
    nodes,
    leaks,
    pass,
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

/** Remembers each token that is made. */
function planting(sandbox: CloudSandbox, planted: string[]): CloudSandbox {
  const token: CloudSandbox['token'] = (of) => {
    const made = sandbox.token(of);
    planted.push(made);
    return made;
  };
  return { ...sandbox, token };
}

/** Reads along what the panel at an address answers to anybody in this process. */
function recordAnswers(address: string): { answers: { url: string; text: string }[]; restore: () => void } {
  const answers: { url: string; text: string }[] = [];
  const real = globalThis.fetch;
  globalThis.fetch = async (...call) => {
    const response = await real(...call);
    if (response.url.startsWith(address))
      answers.push({ url: response.url, text: await response.clone().text() });
    return response;
  };
  return { answers, restore: () => void (globalThis.fetch = real) };
}

/** The tables with a row that has any of these words: events, audit rows and jobs among them. */
async function tablesWith(panel: Pick<TestPanel, 'sql'>, words: readonly string[]): Promise<string[]> {
  const tables = await panel.sql<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await panel.sql<{ row: string }>(`select t::text as row from ${name} t`);
    if (rows.some(({ row }) => words.some((word) => row.includes(word)))) found.push(name);
  }
  return found;
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

export async function connect(tenant: Tenant, token: string, provider: Place['provider'] = 'hetzner') {
  return tenant.graphql(
    'mutation($input: ConnectProviderInput!) { connectProvider(input: $input) { id status configured sandbox regions } }',
    { input: { provider, token } },
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

/** Tenants as they have signed in since. */
const later = new WeakMap<Tenant, Tenant>();

export async function serverOf(tenant: Tenant, id: string): Promise<ServerView> {
  const ask = async () =>
    (later.get(tenant) ?? tenant).graphql<{ server: ServerView }>(
      `query($id: ID!) { server(id: $id) { ${serverFields} } }`,
      { id },
    );
  let { data, errors } = await ask();
  // On a busy machine more of the panel's time passes than a token is good for, while something is waited for.
  if (errors?.[0]?.extensions['code'] === 'UNAUTHENTICATED') {
    later.set(tenant, await signedIn(tenant));
    ({ data, errors } = await ask());
  }
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
  let seen = {};
  const isThere = async () => {
    // Whoever looks again and again asks the table.
    const [row] = await panel.sql<{ phase: string }>(
      'select phase, reason, message, provider_id, due_at from hosting.server where id = $1',
      [id],
    );
    seen = row ?? {};
    return row?.phase === phase && (await serverOf(tenant, id)).phase === phase;
  };
  await panel.pass(isThere, phase).catch((error: unknown) => {
    throw new Error(`${String(error)}; it is ${JSON.stringify(seen)}`);
  });
}

/** The tenant signed in anew, after so much time that its token has ended. */
export async function signedIn(tenant: Tenant): Promise<Tenant> {
  const { email, password } = tenant.account;
  const answer = await tenant.world.login(email, password);
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
  return new Tenant(tenant.world, tenant.account, answer.body);
}

/** A tenant with an account at the stand-in. */
export async function hostingTenant(
  panel: HostingPanel,
  plan: 'FREE' | 'PRO' = 'PRO',
  provider: Place['provider'] = 'hetzner',
): Promise<{ tenant: Tenant; token: string }> {
  const tenant = await panel.world.tenant();
  if (plan === 'PRO') await tenant.grantPlan('PRO');
  const token = panel[provider].token();
  const { errors } = await connect(tenant, token, provider);
  if (errors) throw new Error(JSON.stringify(errors));
  return { tenant, token };
}
