import { cpuSeconds } from './support/cpu.js';
import { beatBody, credentialsOf, registerTenant, seedInstances, settle, signIns } from './support/fleet.js';
import { startHaproxy, startRedis } from './support/haproxy.js';
import { Load } from './support/load.js';
import { fixed, publish } from './support/report.js';
import { build, openStage, type Stage } from './support/stage.js';
import { abba, median, pairedRatio } from './support/stats.js';

const roundMs = 3_000;
const connections = 16;
const signedIn = 64;
const instances = 8;
const target = 0.9;

interface Round {
  answered: number;
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
    for (const NODE_NAME of ['one', 'two', 'three'])
      three.push(await shared.panel({ ...settings, NODE_NAME }));
    const haproxy = await startHaproxy(
      three.map(({ url }) => url),
      new URL(redis.url).host,
    );
    undo.push(() => haproxy.stop());

    const loads = {
      one: new Load(one.url, connections, await requestsOf(alone, one.url)),
      three: new Load(haproxy.url, connections, await requestsOf(shared, haproxy.url)),
    };
    const cpuOf = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const measured =
      (load: Load, panels: number[], around: number[], stage: Stage) => async (): Promise<Round> => {
        const watch = () => [panels, around, [stage.postgresPid()]].map(cpuOf) as [number, number, number];
        const before = watch();
        const { answered, rate, p99, failures } = await load.run(roundMs);
        if (failures > 0) throw new Error(`${failures} requests failed`);
        const [panelMs, aroundMs, databaseMs] = watch().map(
          (seconds, at) => ((seconds - before[at]!) * 1000) / answered,
        ) as [number, number, number];
        return { answered, rate, p99, perCpuSecond: 1000 / panelMs, panelMs, aroundMs, databaseMs };
      };
    const { a, b } = await abba(
      { name: 'one', round: measured(loads.one, [one.pid], [], alone) },
      {
        name: 'three',
        round: measured(
          loads.three,
          three.map(({ pid }) => pid),
          [haproxy.pid, redis.pid],
          shared,
        ),
      },
      { rounds: 14 },
    );
    await loads.one.stop();
    await loads.three.stop();
    const of = (rounds: readonly Round[], key: keyof Round) => rounds.map((round) => round[key]);
    const ratio = pairedRatio(of(b, 'perCpuSecond'), of(a, 'perCpuSecond'));
    const both = (key: keyof Round, digits = 2) =>
      `${fixed(median(of(a, key)), digits)}, ${fixed(median(of(b, key)), digits)}`;
    publish({
      name: 'scale-out',
      setup: `lists of ${instances} instances (6 of 8), summaries and beats over ${connections} connections: one panel, and three behind haproxy with Redis, each with a database of its own; all on one machine, with the load`,
      figures: [
        { what: 'requests per second of CPU of the panels: one, three', value: both('perCpuSecond', 0) },
        { what: '  three / one', value: fixed(ratio), target: `>= ${target}`, isMet: ratio >= target },
        { what: 'CPU of the panels per request (ms)', value: both('panelMs') },
        { what: 'CPU of haproxy and Redis per request (ms)', value: both('aroundMs') },
        { what: 'CPU of the database per request (ms)', value: both('databaseMs') },
        { what: 'requests/s by the clock, where all share the cores', value: both('rate', 0) },
        { what: 'p99 of an answer (ms)', value: both('p99', 0) },
      ],
      details: { one: a, three: b },
    });
  } finally {
    for (const step of undo.toReversed()) await step();
  }
}
