import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '#platform/clock.js';
import { silentLogger } from '#platform/logger.js';
import { startHetznerSandbox, type HetznerSandbox } from '#sandbox/hetzner/start.js';

import { fixed, publish } from './support/report.js';
import { build, openStage, type Stage } from './support/stage.js';

const servers = 1_000;
const createMs = 120_000;
const startMs = 1_000;
/** As often as the panel looks at the most. */
const peerEveryMs = 3_500;

interface Flight {
  /** Requests that asked how servers are. */
  polls: number;
  /** Between a server's being on and its being known to be, in milliseconds; ascending. */
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
    const p99 = (lags: readonly number[]) => lags[Math.floor(lags.length * 0.99)]! / 1000;
    publish({
      name: 'hosting',
      setup: `${servers} servers made at the stand-in for Hetzner Cloud, each under way for ${(createMs + startMs) / 1000} s; panel, database and stand-in share the machine`,
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
          what: 'a server that is on is known to be after, p99 (s)',
          value: fixed(p99(ours.lags), 1),
          target: '<= 5',
          isMet: p99(ours.lags) <= 5,
        },
        { what: 'the same of the other, p99 (s)', value: fixed(p99(peer.lags), 1) },
      ],
      details: { ours: { polls: ours.polls }, peer: { polls: peer.polls } },
    });
  } finally {
    await stage.stop();
  }
}

async function followedByPanel(stage: Stage, hetzner: HetznerSandbox): Promise<Flight> {
  const panel = await stage.panel({ HETZNER_API_BASE: hetzner.url });
  const post = async <Answer>(path: string, body: object, token?: string, key?: string): Promise<Answer> => {
    const send = async () =>
      fetch(panel.url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        body: JSON.stringify(body),
      });
    let response = await send();
    // As clients are to: on a crowded machine the database may be away for a moment.
    for (let again = 0; key !== undefined && response.status === 503 && again < 10; again += 1) {
      await sleep(2_000);
      response = await send();
    }
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  };
  const { access_token: token } = await post<{ access_token: string }>('/api/auth/register', {
    email: 'hosting@bench.test',
    password: 'correct horse battery',
    name: 'Bench',
    company: 'Bench',
  });
  const secret = hetzner.token();
  await post(
    '/graphql',
    {
      query: 'mutation($input: ConnectProviderInput!) { connectProvider(input: $input) { status } }',
      variables: { input: { provider: 'hetzner', token: secret } },
    },
    token,
  );
  const names = Array.from({ length: servers }, (_, index) => `bench-${index}`);
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop())
        await post(
          '/api/hosting/servers',
          { provider: 'hetzner', region: 'fsn1', size: 'cx22', name, install_cloud_os: false },
          token,
          name,
        );
    }),
  );
  for (;;) {
    const [row] = await stage.sql<{ open: number }>(
      `select count(*)::int as open from hosting.server where phase <> 'READY'`,
    );
    if (row!.open === 0) break;
    await sleep(1_000);
  }
  const known = await stage.sql<{ providerId: string; at: Date }>(
    `select provider_id as "providerId", ready_at as at from hosting.server`,
  );
  const created = new Map(hetzner.servers(secret).map(({ id, created: at }) => [String(id), Date.parse(at)]));
  const lags = known.map(
    ({ providerId, at }) => at.getTime() - (created.get(providerId)! + createMs + startMs),
  );
  const requests = hetzner.requests();
  await panel.stop();
  await hetzner.stop();
  return {
    polls: (requests['GET /actions'] ?? 0) + (requests['GET /servers'] ?? 0),
    lags: lags.toSorted((a, b) => a - b),
  };
}

/** What waiting for each action by itself comes to, as clients' libraries do. */
async function followedOneByOne(hetzner: HetznerSandbox): Promise<Flight> {
  const authorization = `Bearer ${hetzner.token()}`;
  const lags: number[] = [];
  let polls = 0;
  const follow = async (index: number) => {
    const made = await fetch(`${hetzner.url}/servers`, {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify({
        name: `peer-${index}`,
        server_type: 'cx22',
        image: 'ubuntu-24.04',
        location: 'fsn1',
      }),
    });
    const { next_actions: next } = (await made.json()) as { next_actions: { id: number; started: string }[] };
    const doneAt = Date.now() + createMs + startMs;
    for (;;) {
      await sleep(peerEveryMs);
      const answer = await fetch(`${hetzner.url}/actions/${next[0]!.id}`, { headers: { authorization } });
      polls += 1;
      const { action } = (await answer.json()) as { action: { status: string } };
      if (action.status === 'success') break;
    }
    lags.push(Date.now() - doneAt);
  };
  await Promise.all(Array.from({ length: servers }, async (_, index) => follow(index)));
  await hetzner.stop();
  return { polls, lags: lags.toSorted((a, b) => a - b) };
}
