import { cpuSeconds, residentMb } from './support/cpu.js';
import { registerTenant, seedInstances, settle, signIns } from './support/fleet.js';
import { Load, type LoadRequest } from './support/load.js';
import { fixed, publish, type Figure } from './support/report.js';
import { startCheckedHandler, startPlainHandler, type Peer } from './support/rest-peers.js';
import { build, openStage, type RunningPanel } from './support/stage.js';
import { abba, median, pairedRatio } from './support/stats.js';

const roundMs = 1_500;
const signedIn = 64;
/** Memory is flat when the measured rounds leave no more than this much more of it in use than they found. */
const flat = 1.15;

/** What the panel is to reach of each peer's requests per second. */
const sizes = [
  { size: 8, connections: 8, targets: { plain: 0.6, checked: 0.9 } },
  { size: 10_000, connections: 2, targets: { plain: 0.6, checked: undefined } },
] as const;

/** P4: GET /api/fleet/instances at 8 and at 10 000 instances against hand-written Express + pg handlers. */
export async function restBench(): Promise<void> {
  build();
  const stage = await openStage();
  try {
    const panel = await stage.panel();
    const figures: Figure[] = [];
    const details: Record<string, unknown> = {};
    let first = 0;
    for (const { size, connections, targets } of sizes) {
      const tenant = await registerTenant(panel.url);
      await seedInstances(stage, tenant.tenantId, first, first + size);
      first += size;
      await settle(stage);
      const tokens = await signIns(panel.url, tenant, signedIn);
      const request = (sequence: number) => ({
        path: '/api/fleet/instances',
        method: 'GET' as const,
        headers: { authorization: `Bearer ${tokens[sequence % tokens.length]}` },
      });
      const peers = {
        plain: await startPlainHandler(stage, tenant.tenantId),
        checked: await startCheckedHandler(stage, panel.url),
      };
      for (const [name, peer] of Object.entries(peers) as [keyof typeof peers, Peer][]) {
        await expectSameBytes(panel.url, peer.url, tenant.token);
        const found = await compare(panel, peer, connections, request);
        const target = targets[name];
        figures.push(...figuresOf(`${size} instances, ${name}`, target, found));
        details[`${size} ${name}`] = found;
        await peer.stop();
      }
    }
    publish({
      name: 'rest',
      setup: `GET /api/fleet/instances over 8 connections (2 for 10 000 instances), the same bytes from all; the load and the peers share a process`,
      figures,
      details,
    });
  } finally {
    await stage.stop();
  }
}

async function compare(
  panel: RunningPanel,
  peer: Peer,
  connections: number,
  request: (sequence: number) => LoadRequest,
) {
  const [ours, theirs] = [
    new Load(panel.url, connections, request),
    new Load(peer.url, connections, request),
  ];
  const memory: number[] = [];
  const measured = (load: Load, pid: number) => async () => {
    const [before, allBefore] = [cpuSeconds(pid), cpuSeconds(process.pid)];
    const { rate, p50, failures, answered } = await load.run(roundMs);
    if (failures > 0) throw new Error(`${failures} requests failed`);
    memory.push(residentMb(panel.pid));
    const perRequest = (seconds: number) => (seconds * 1000) / answered;
    return {
      rate,
      p50,
      cpuMs: perRequest(cpuSeconds(pid) - before),
      // All are below this process: the panel, PostgreSQL, the load and the peers.
      allMs: perRequest(cpuSeconds(process.pid) - allBefore),
    };
  };
  const found = await abba(
    { name: 'panel', round: measured(ours, panel.pid) },
    { name: 'peer', round: measured(theirs, process.pid) },
  );
  await ours.stop();
  await theirs.stop();
  return { ...found, memory };
}

function figuresOf(
  what: string,
  target: number | undefined,
  { a, b, memory }: Awaited<ReturnType<typeof compare>>,
): Figure[] {
  // Of both contenders' rounds, after those that are left out as a warm-up.
  const measuredMemory = memory.slice(4);
  const quarter = Math.ceil(measuredMemory.length / 4);
  const growth = median(measuredMemory.slice(-quarter)) / median(measuredMemory.slice(0, quarter));
  const ratio = pairedRatio(
    a.map(({ rate }) => rate),
    b.map(({ rate }) => rate),
  );
  return [
    { what: `${what}: requests/s of the panel`, value: fixed(median(a.map(({ rate }) => rate)), 1) },
    { what: `${what}: requests/s of the peer`, value: fixed(median(b.map(({ rate }) => rate)), 1) },
    {
      what: `${what}: panel / peer`,
      value: fixed(ratio),
      ...(target === undefined ? {} : { target: `>= ${target}`, isMet: ratio >= target }),
    },
    {
      what: `${what}: CPU of all that takes part, peer / panel`,
      value: fixed(
        pairedRatio(
          b.map(({ allMs }) => allMs),
          a.map(({ allMs }) => allMs),
        ),
      ),
    },
    {
      what: `${what}: CPU of the panel per request (ms)`,
      value: fixed(median(a.map(({ cpuMs }) => cpuMs))),
    },
    {
      what: `${what}: memory of the panel, MB (last rounds / first)`,
      value: `${median(measuredMemory.slice(-quarter))} (${fixed(growth)})`,
      target: `flat: <= ${flat}`,
      isMet: growth <= flat,
    },
  ];
}

async function expectSameBytes(ours: string, theirs: string, token: string): Promise<void> {
  const [a, b] = await Promise.all(
    [ours, theirs].map(async (url) =>
      (await fetch(`${url}/api/fleet/instances`, { headers: { authorization: `Bearer ${token}` } })).text(),
    ),
  );
  if (a !== b) throw new Error(`the answers differ: ${a!.slice(0, 300)} ... ${b!.slice(0, 300)}`);
}
