import { cpuSeconds } from './support/cpu.js';
import { beatBody, credentialsOf, registerTenant, seedInstances, settle, signIns } from './support/fleet.js';
import { startHaproxy, startRedis } from './support/haproxy.js';
import { Load, type LoadSample } from './support/load.js';
import { fixed, publish } from './support/report.js';
import { build, openStage, type Stage } from './support/stage.js';
import { abba, median, pairedRatio } from './support/stats.js';

const panels = ['one', 'two', 'three'];
// What keeps the machine half idle, so that three panels do not wait for each other's cores as they would not on three machines.
const steadyMs = 5_000;
const ratePerPanel = 200;
const fullMs = 3_000;
const connectionsPerPanel = 16;
const signedIn = 64;
const instances = 8;
const target = 0.9;

interface Round {
  rate: number;
  p99: number;
  /** Requests for each second of CPU of all panels. */
  perCpuSecond: number;
  /** CPU milliseconds of each request: of the panels, of what is before and beside them, of the database. */
  panelMs: number;
  aroundMs: number;
  databaseMs: number;
}

/** What is asked: a list of eight instances mostly, the summary, and beats. */
async function requestsOf(stage: Stage, url: string) {
  const tenant = await registerTenant(url);
  await seedInstances(stage, tenant.tenantId, 0, instances);
  await settle(stage);
  const tokens = await signIns(url, tenant, signedIn);
  const ids = await stage.sql<{ id: string }>('select id from fleet.instance order by id');
  const credentials = await credentialsOf(
    stage,
    ids.map(({ id }) => ({ tenantId: tenant.tenantId, id })),
  );
  return (sequence: number) => {
    const headers = { authorization: `Bearer ${tokens[sequence % tokens.length]}` };
    if (sequence % 8 === 0)
      return {
        path: '/api/agent/heartbeat',
        headers: {
          authorization: `Bearer ${credentials[(sequence / 8) % credentials.length]}`,
          'content-type': 'application/json',
        },
        body: beatBody(sequence),
      };
    const path = sequence % 8 === 1 ? '/api/fleet/summary' : '/api/fleet/instances';
    return { path, method: 'GET' as const, headers };
  };
}

/** What one panel serves, against three behind haproxy with Redis: by the CPU that the panels take for it. */
export async function scaleOutBench(): Promise<void> {
  build();
  const undo: (() => Promise<void>)[] = [];
  try {
    // Each has a database of its own: one panel alone needs no Redis, and shares with nobody.
    const [alone, shared] = [await openStage(), await openStage()];
    undo.push(
      () => alone.stop(),
      () => shared.stop(),
    );
    const one = await alone.panel();
    const redis = await startRedis();
    undo.push(() => redis.stop());
    const settings = { REDIS_URL: redis.url, TRUST_PROXY: 'loopback' };
    const three = [];
    for (const NODE_NAME of panels) three.push(await shared.panel({ ...settings, NODE_NAME }));
    const haproxy = await startHaproxy(
      three.map(({ url }) => url),
      new URL(redis.url).host,
    );
    undo.push(() => haproxy.stop());

    const contenders = [
      {
        name: 'one',
        many: 1,
        load: new Load(one.url, connectionsPerPanel, await requestsOf(alone, one.url)),
        pids: [one.pid],
        around: [],
        stage: alone,
      },
      {
        name: 'three',
        many: panels.length,
        load: new Load(
          haproxy.url,
          connectionsPerPanel * panels.length,
          await requestsOf(shared, haproxy.url),
        ),
        pids: three.map(({ pid }) => pid),
        around: [haproxy.pid, redis.pid],
        stage: shared,
      },
    ];
    const measure = async (ask: (load: Load, many: number) => Promise<LoadSample>, rounds: number) => {
      const [first, second] = contenders.map(({ name, many, load, pids, around, stage }) => ({
        name,
        async round(): Promise<Round> {
          const watch = () => [pids, around, [stage.postgresPid()]].map(cpuOf);
          const before = watch();
          const { answered, rate, p99, failures } = await ask(load, many);
          if (failures > 0) throw new Error(`${failures} requests failed`);
          const [panelMs, aroundMs, databaseMs] = watch().map(
            (seconds, at) => ((seconds - before[at]!) * 1000) / answered,
          ) as [number, number, number];
          return { rate, p99, perCpuSecond: 1000 / panelMs, panelMs, aroundMs, databaseMs };
        },
      }));
      return abba(first!, second!, { rounds });
    };
    const steady = await measure(async (load, many) => load.steady(ratePerPanel * many, steadyMs), 12);
    const full = await measure(async (load) => load.run(fullMs), 10);
    for (const { load } of contenders) await load.stop();

    const ratio = ratioOf(steady);
    publish({
      name: 'scale-out',
      setup: `lists of ${instances} instances (6 of 8), summaries and beats: one panel, and three behind haproxy with Redis, each with a database of its own; all on one machine, with the load`,
      figures: [
        {
          what: `${ratePerPanel} requests/s for each panel, per second of CPU of the panels: three / one`,
          value: fixed(ratio),
          target: `>= ${target}`,
          isMet: ratio >= target,
        },
        ...figuresOf(steady),
        {
          what: `as fast as ${connectionsPerPanel} connections for each panel ask, where all share the cores: three / one`,
          value: fixed(ratioOf(full)),
        },
        ...figuresOf(full),
      ],
      details: { steady, full },
    });
  } finally {
    for (const step of undo.toReversed()) await step();
  }
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

interface Rounds {
  a: readonly Round[];
  b: readonly Round[];
}

const of = (rounds: readonly Round[], key: keyof Round) => rounds.map((round) => round[key]);

function ratioOf({ a, b }: Rounds): number {
  return pairedRatio(of(b, 'perCpuSecond'), of(a, 'perCpuSecond'));
}

function figuresOf({ a, b }: Rounds) {
  const both = (key: keyof Round, digits = 2) =>
    `${fixed(median(of(a, key)), digits)}, ${fixed(median(of(b, key)), digits)}`;
  return [
    { what: '  CPU of the panels per request (ms): one, three', value: both('panelMs') },
    { what: '  of haproxy and Redis', value: both('aroundMs') },
    { what: '  of the database', value: both('databaseMs') },
    { what: '  requests/s by the clock', value: both('rate', 0) },
    { what: '  p99 of an answer (ms)', value: both('p99', 0) },
  ];
}
