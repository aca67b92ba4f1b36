import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startHetznerSandbox, type HetznerSandbox } from '#sandbox/hetzner/start.js';
import { marksOf } from '#subgraphs/hosting/provider/marks.js';

import { registerTenant, type BenchTenant } from './support/fleet.js';
import { fixed, publish } from './support/report.js';
import { build, openStage, panelIssuer, type Stage } from './support/stage.js';

const servers = 1_000;
/** They are asked for over this time, and all of them are under way when it is over. */
const spreadMs = 10_000;
const createMs = 12_000;
const startMs = 4_000;
const batch = 20;
/** Seldom enough to see all within five seconds; Hetzner's own library asks eight times as often. */
const peerEveryMs = 4_000;
/** How often it is looked what the panel knows. */
const lookMs = 200;

/** A server at the stand-in, asked for at `at`. */
interface Made {
  id: string;
  providerId: string;
  actionIds: string[];
  ip: string;
  at: number;
}

interface Flight {
  /** Requests that asked how servers are. */
  polls: number;
  /** Between a change at the stand-in and its being known, in milliseconds. */
  lags: number[];
}

/** A thousand servers under way: what it takes to follow them, against a poller that asks for each server. */
export async function hostingBench(): Promise<void> {
  build();
  const stage = await openStage();
  const start = async () =>
    startHetznerSandbox({
      port: 0,
      clock: systemClock,
      logger: silentLogger,
      timing: { createMs, startMs },
      requestsAnHour: 10_000_000,
    });
  try {
    const ours = await followedByPanel(stage, await start());
    const peer = await followedOneByOne(await start());
    const ratio = ours.polls / peer.polls;
    const [lag, peerLag] = [p99(ours.lags), p99(peer.lags)];
    publish({
      name: 'hosting',
      setup: `${servers} servers at the stand-in for Hetzner Cloud, asked for over ${spreadMs / 1000} s and each under way for ${(createMs + startMs) / 1000} s; panel, database and stand-in share the machine`,
      figures: [
        {
          what: 'requests of the panel / of a poller per server',
          value: fixed(ratio, 3),
          target: '<= 0.1',
          isMet: ratio <= 0.1,
        },
        { what: 'requests of the panel', value: fixed(ours.polls, 0) },
        { what: `requests of one per server each ${peerEveryMs / 1000} s`, value: fixed(peer.polls, 0) },
        {
          what: 'a change is known after, p99 (s)',
          value: fixed(lag, 1),
          target: '<= 5',
          isMet: lag <= 5,
        },
        { what: 'the same of the other, p99 (s)', value: fixed(peerLag, 1) },
      ],
      details: { ours: { polls: ours.polls, lag }, peer: { polls: peer.polls, lag: peerLag } },
    });
  } finally {
    await stage.stop();
  }
}

function p99(lags: readonly number[]): number {
  return lags.toSorted((a, b) => a - b)[Math.floor(lags.length * 0.99)]! / 1000;
}

/** Has all servers made at the stand-in, a batch at a time; `keep` is told of each batch. */
async function makeAll(
  hetzner: HetznerSandbox,
  token: string,
  labels: (id: string) => Record<string, string>,
  keep: (made: Made[]) => Promise<void> | void,
): Promise<void> {
  const began = Date.now();
  for (let from = 0; from < servers; from += batch) {
    const one = async (_: unknown, index: number): Promise<Made> => {
      const id = `srv_${String(from + index).padStart(26, '0')}`;
      const at = Date.now();
      const response = await fetch(`${hetzner.url}/servers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({
          name: `bench-${from + index}`,
          server_type: 'cx22',
          image: 'ubuntu-24.04',
          location: 'fsn1',
          labels: labels(id),
        }),
      });
      if (response.status !== 201) throw new Error(`POST /servers: ${response.status}`);
      const {
        server,
        action,
        next_actions: next,
      } = (await response.json()) as {
        server: { id: number; public_net: { ipv4: { ip: string } } };
        action: { id: number };
        next_actions: { id: number }[];
      };
      const actionIds = [action, ...next].map((each) => String(each.id));
      return { id, providerId: String(server.id), actionIds, ip: server.public_net.ipv4.ip, at };
    };
    await keep(await Promise.all(Array.from({ length: batch }, one)));
    await sleep(Math.max(0, began + ((from + batch) * spreadMs) / servers - Date.now()));
  }
}

/** What asking for servers leaves in the database is put there: what is measured is how they are followed. */
async function followedByPanel(stage: Stage, hetzner: HetznerSandbox): Promise<Flight> {
  const panel = await stage.panel({ HETZNER_API_BASE: hetzner.url });
  const tenant = await registerTenant(panel.url);
  const token = hetzner.token();
  await connect(panel.url, tenant, token);
  const { tenantId } = tenant;
  const made = new Map<string, Made>();
  const lags: number[] = [];
  const known = new Map<string, string>();
  /** Adds what the panel knows now that it did not; answers how many are ready. */
  const lookAtPanel = async (): Promise<number> => {
    const rows = await stage.sql<{ id: string; phase: string }>(
      `select provider_id as id, phase from hosting.server where tenant_id = $1 and phase <> 'CREATING'`,
      [tenantId],
    );
    const now = Date.now();
    for (const { id, phase } of rows) {
      if (phase !== 'BOOTING' && phase !== 'READY') throw new Error(`a server is ${phase}`);
      const { at } = made.get(id)!;
      if (!known.has(id)) lags.push(now - (at + createMs));
      if (phase === 'READY' && known.get(id) !== 'READY') lags.push(now - (at + createMs + startMs));
      known.set(id, phase);
    }
    return rows.filter(({ phase }) => phase === 'READY').length;
  };
  const before = polls(hetzner);
  const watched = (async () => {
    while ((await lookAtPanel()) < servers) await sleep(lookMs);
  })();
  const labels = (id: string) => {
    const marks = marksOf(panelIssuer, { tenantId, id });
    return { 'qzr-panel': marks.panel, 'qzr-tenant': marks.tenant, 'qzr-server': marks.server };
  };
  await Promise.all([
    makeAll(hetzner, token, labels, async (some) => {
      for (const each of some) made.set(each.providerId, each);
      await keepServers(stage, tenantId, some);
    }),
    watched,
  ]);
  const asked = polls(hetzner) - before;
  await panel.stop();
  await hetzner.stop();
  return { polls: asked, lags };
}

/** As the step that has a server made leaves them. */
async function keepServers(stage: Stage, tenantId: string, some: readonly Made[]): Promise<void> {
  await stage.sql(
    `insert into hosting.server (tenant_id, id, provider, name, region, location, size, ssh_keys, install_cloud_os, phase,
       phase_at, provider_id, operation_ids, create_calls, ip_address, price_hourly, price_monthly, currency, created_at,
       created_by, billed_from)
     select $1, s.id, 'hetzner', s.id, 'fsn1', 'fsn1', 'cx22', '{}', false, 'CREATING', now(), s."providerId",
       array(select jsonb_array_elements_text(s."actionIds")), 1, s.ip, 0.006, 3.79, 'EUR', now(), 'bench', now()
     from jsonb_to_recordset($2) s(id text, "providerId" text, "actionIds" jsonb, ip text)`,
    [tenantId, JSON.stringify(some)],
  );
  await stage.sql(
    'update hosting.provider_account set poll_at = coalesce(poll_at, now()) where tenant_id = $1',
    [tenantId],
  );
}

async function connect(url: string, { token: accessToken }: BenchTenant, token: string): Promise<void> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({
      query: 'mutation($input: ConnectProviderInput!) { connectProvider(input: $input) { status } }',
      variables: { input: { provider: 'hetzner', token } },
    }),
  });
  const answer = (await response.json()) as { errors?: unknown[] };
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
}

function polls(hetzner: HetznerSandbox): number {
  const requests = hetzner.requests();
  return ['GET /actions', 'GET /actions/:id', 'GET /servers', 'GET /servers/:id'].reduce(
    (sum, line) => sum + (requests[line] ?? 0),
    0,
  );
}

/** What waiting for each action by itself comes to, as clients' libraries do. */
async function followedOneByOne(hetzner: HetznerSandbox): Promise<Flight> {
  const token = hetzner.token();
  const authorization = `Bearer ${token}`;
  const lags: number[] = [];
  const follow = async ({ actionIds, at }: Made) => {
    for (let look = 1; ; look += 1) {
      await sleep(Math.max(0, at + look * peerEveryMs - Date.now()));
      const response = await fetch(`${hetzner.url}/actions/${actionIds.at(-1)}`, {
        headers: { authorization },
      });
      const { action } = (await response.json()) as { action: { status: string } };
      if (action.status === 'success') break;
    }
    lags.push(Date.now() - (at + createMs + startMs));
  };
  const followed: Promise<void>[] = [];
  await makeAll(
    hetzner,
    token,
    () => ({}),
    (some) => void followed.push(...some.map(follow)),
  );
  await Promise.all(followed);
  const asked = polls(hetzner);
  await hetzner.stop();
  return { polls: asked, lags };
}
