import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import type { Cluster } from '../cluster.js';
import { Client } from './client.js';
import type { Fault } from './faults.js';
import { HaWatch, isWholeAgain } from './ha-watch.js';
import { emptyTally, Load, type Tally } from './load.js';
import { Subscriber } from './subscriber.js';

/** Between faults, when all is whole again. */
const calmMs = 5_000;
const wholeWithinMs = 180_000;
const caughtUpWithinMs = 120_000;

interface Outcome extends Tally {
  fault: string;
  /** The longest time without an acknowledged write, in seconds. */
  paused: number;
  within: number | undefined;
  isUnnoticed: boolean;
  /** What /api/cc/ha/* did not tell of it. */
  hidden: string[];
}

/** Makes these faults, one after the other, under load, and answers whether everything was as it has to be. */
export async function drill(
  cluster: Cluster,
  chosen: readonly Fault[],
  say: (words: string) => void,
): Promise<boolean> {
  const { publicUrl } = cluster.topology;
  const client = new Client(publicUrl);
  await client.prepare();
  await asSuperuser(cluster, (database) =>
    database.query('update identity."user" set is_administrator = true where tenant_id = $1', [
      client.tenantId,
    ]),
  );
  await client.signIn();
  const subscribers = [1, 2, 3].map(
    (n) => new Subscriber(`http://${cluster.topology.at('panel', n)}`, publicUrl, () => client.token),
  );
  await Promise.all(subscribers.map((subscriber) => subscriber.start()));
  const load = new Load(client);
  const watch = new HaWatch(client);
  load.start();
  watch.start();
  await sleep(calmMs);
  const outcomes: Outcome[] = [];
  for (const fault of chosen) {
    say(`${new Date().toISOString()} ${fault.name}`);
    outcomes.push(await under(fault, cluster, client, load, watch));
    await client.signIn();
  }
  await load.stop();
  await watch.stop();
  // On a busy machine what was told last is still on its way: late is not lost.
  const isCaughtUp = () =>
    subscribers.every(({ heard }) => [...load.commands.values()].every((id) => heard.has(id)));
  const stopped = performance.now();
  while (!isCaughtUp() && performance.now() - stopped < caughtUpWithinMs) await sleep(250);
  say(
    `subscribers had all, or were waited for, ${((performance.now() - stopped) / 1000).toFixed(1)} s after the load`,
  );
  await Promise.all(subscribers.map((subscriber) => subscriber.stop()));
  return report(outcomes, await count(cluster, client, load), subscribers, load, say);
}

async function under(
  fault: Fault,
  cluster: Cluster,
  client: Client,
  load: Load,
  watch: HaWatch,
): Promise<Outcome> {
  load.tally = emptyTally();
  const from = performance.now();
  const seen = await watch.during(async () => {
    await fault.make(cluster, client);
    // Those that are to come back must have gone first.
    await sleep(calmMs);
    await cluster.untilWhole(wholeWithinMs);
    await sleep(calmMs);
  });
  const hidden = [...fault.reflected, isWholeAgain].flatMap((look) => look(seen));
  const { name, within, isUnnoticed = false } = fault;
  return { fault: name, within, isUnnoticed, paused: load.longestPause(from), hidden, ...load.tally };
}

interface Kept {
  /** Acknowledged commands that are not there. */
  lost: number;
  /** Commands beyond one for each key. */
  doubled: number;
  /** Acknowledged beats that are not there. */
  lostBeats: number;
  /** Beats that are there more than once. */
  doubledBeats: number;
  beats: number;
}

async function count(cluster: Cluster, client: Client, load: Load): Promise<Kept> {
  return asSuperuser(cluster, async (database) => {
    const commands = await database.query<{ id: string }>(
      'select id from fleet.command where tenant_id = $1',
      [client.tenantId],
    );
    const beats = await database.query<{ number: number; times: number }>(
      `select net_rx_bytes as number, count(*)::int as times from fleet.metrics_sample
       where tenant_id = $1 group by 1`,
      [client.tenantId],
    );
    const times = new Map(beats.rows.map((beat) => [beat.number, beat.times]));
    const kept = new Set(commands.rows.map(({ id }) => id));
    return {
      lost: [...load.commands.values()].filter((id) => !kept.has(id)).length,
      doubled: Math.max(0, kept.size - load.keys.size),
      lostBeats: [...load.beats].filter((number) => !times.has(number)).length,
      doubledBeats: beats.rows.filter((beat) => beat.times > 1).length,
      beats: times.size,
    };
  });
}

async function asSuperuser<T>(cluster: Cluster, work: (database: pg.Client) => Promise<T>): Promise<T> {
  const database = new pg.Client({
    host: '127.0.0.1',
    port: cluster.topology.port('primary'),
    user: 'postgres',
    password: readFileSync(cluster.topology.secret('superuser_password'), 'utf8'),
    database: 'panel',
  });
  await database.connect();
  try {
    return await work(database);
  } finally {
    await database.end();
  }
}

function report(
  outcomes: readonly Outcome[],
  kept: Kept,
  subscribers: readonly Subscriber[],
  load: Load,
  say: (words: string) => void,
): boolean {
  say(
    '\n| fault | longest pause of writes, s | at most | 503s | unknown | cut | answers |\n|---|---|---|---|---|---|---|',
  );
  for (const { fault, paused, within, unavailable, unknown, cut, statuses } of outcomes)
    say(
      `| ${fault} | ${paused.toFixed(1)} | ${within ?? ''} | ${unavailable} | ${unknown} | ${cut} | ${told(statuses)} |`,
    );
  const acknowledged = [...load.commands.values()];
  const missing = subscribers.map(({ heard }) => acknowledged.filter((id) => !heard.has(id)));
  const missed = missing.map((ids) => ids.length);
  const amiss = kept.lost + kept.doubled + kept.lostBeats + kept.doubledBeats;
  say(`
commands: ${acknowledged.length} acknowledged of ${load.keys.size}; lost ${kept.lost}, doubled ${kept.doubled}
beats: ${load.beats.size} acknowledged of ${load.sentBeats}, ${kept.beats} kept; lost ${kept.lostBeats}, doubled ${kept.doubledBeats}
subscribers: ${subscribers.map(({ heard, reconnections, expired }, at) => `${heard.size} heard, ${missed[at]} missed, ${reconnections} reconnections, ${expired} told to read anew`).join('; ')}`);
  const wrong = [
    ...outcomes
      .filter(({ failed, refused }) => failed + refused > 0)
      .map(({ fault, statuses }) => `answers with ${told(statuses)} under "${fault}"`),
    ...outcomes
      .filter(({ paused, within }) => within !== undefined && paused > within)
      .map(({ fault, paused }) => `writes stood still for ${paused.toFixed(1)} s under "${fault}"`),
    ...outcomes
      .filter(({ isUnnoticed, unavailable, unknown, cut }) => isUnnoticed && unavailable + unknown + cut > 0)
      .map(
        ({ fault, unavailable, unknown, cut }) =>
          `${unavailable} times 503, ${unknown} unknown and ${cut} cut under "${fault}", which nobody should notice`,
      ),
    ...outcomes.flatMap(({ fault, hidden }) =>
      hidden.map((what) => `/api/cc/ha/* under "${fault}": ${what}`),
    ),
    ...(amiss > 0 ? ['something acknowledged was lost, or done twice'] : []),
    ...(load.beats.size === 0 ? ['no beat was taken'] : []),
    ...(acknowledged.length < load.keys.size ? ['some commands were never acknowledged'] : []),
    ...missing.flatMap((ids, at) =>
      ids.length === 0
        ? []
        : [`the subscriber of panel-${at + 1} ${whatIsMissing(ids, subscribers[at]!, load)}`],
    ),
  ];
  say(
    wrong.length === 0
      ? '\nEverything held.'
      : `\nWhat did not hold:\n${wrong.map((each) => `  - ${each}`).join('\n')}`,
  );
  return wrong.length === 0;
}

function whatIsMissing(ids: readonly string[], { connections }: Subscriber, { acknowledged }: Load): string {
  const some = ids.slice(0, 5).map((id) => `${id} of ${acknowledged.get(id)}`);
  return `has missed ${ids.length}: ${some.join(', ')}; it connected at ${connections.join(', ')}`;
}

/** How many answers there were of each status. */
function told(statuses: Readonly<Record<number, number>>): string {
  return Object.entries(statuses)
    .map(([status, many]) => `${many} of ${status}`)
    .join(', ');
}
