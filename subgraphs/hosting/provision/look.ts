import type { Progress, Sighting } from '../provider/driver.js';
import { panelMark } from '../provider/marks.js';
import type { Server } from '../server/server.entity.js';
import { ServerPhase } from '../server/server.phases.js';
import type { OpenAccount, StepTools } from './steps.service.js';

/** A server that the provider is at work on. */
export type Underway = Pick<
  Server,
  'id' | 'phase' | 'providerId' | 'operationIds' | 'progress' | 'enrollmentTokenId' | 'ipAddress'
> & {
  /** Nothing was new of it for longer than a token may be refused. */
  isStale: boolean;
  /** The provider was at work on it for longer than anybody waits. */
  isLate: boolean;
};

/** What a look at the provider told of a server. */
export type News =
  | { kind: 'nothing'; percent: number }
  /** It is made; these operations are left. */
  | { kind: 'made'; operationIds: string[] }
  | { kind: 'on'; ipAddress?: string | null }
  | { kind: 'address'; ipAddress: string }
  | { kind: 'gone' }
  | { kind: 'failed'; message: string; reason?: string };

/** Steps of progress that are told: coarse ones where so many are under way that nobody looks at each. */
const percentStep = (servers: number): number => (servers > 100 ? 50 : 20);
/** Servers that are asked for one by one because the list by marks has them not. The others have their turn later. */
const mostReads = 20;

/** Asks for everything that an account's provider is at work on, in as few requests as can be; answers what is new. */
export async function look(
  tools: StepTools,
  { driver, session }: OpenAccount,
  tenant: string,
  servers: readonly Underway[],
): Promise<[Underway, News][]> {
  const known = await progressOf({ driver, session }, servers);
  const told = servers.map((server): [Underway, News | undefined] => [server, newsByProgress(server, known)]);
  // Those that were found and not made, and those that had no address before they were on, are looked at: all in one list.
  const isToSee = ([{ ipAddress }, news]: [Underway, News | undefined]) =>
    news === undefined || (news.kind === 'on' && ipAddress === null);
  const toSee = told.filter(isToSee).map(([server]) => server);
  const mark = { panel: panelMark(tools.publicUrl), tenant };
  const seen = toSee.length > 0 ? await sightings({ driver, session }, mark, toSee) : new Map<string, null>();
  return told.flatMap(([server, progress]) => {
    const sighting = seen.get(server.providerId!);
    const news = inTime(server, withAddress(progress ?? newsBySight(server, sighting), sighting));
    const isNew = news.kind !== 'nothing' || news.percent >= server.progress + percentStep(servers.length);
    return isNew ? [[server, news] satisfies [Underway, News]] : [];
  });
}

const isDone = (known: ReadonlyMap<string, Progress>) => (id: string) => known.get(id)?.state === 'done';

/** Of each server the operation that it waits for: the next one only once that is done. */
async function progressOf(
  { driver, session }: Pick<OpenAccount, 'driver' | 'session'>,
  servers: readonly Underway[],
): Promise<Map<string, Progress>> {
  const known = new Map<string, Progress>();
  const asked = new Set<string>();
  for (;;) {
    const next = servers
      .map(({ operationIds }) => operationIds.find((id) => !isDone(known)(id)))
      .filter((id) => id !== undefined && !asked.has(id)) as string[];
    if (next.length === 0) return known;
    for (const id of next) asked.add(id);
    for (const [id, progress] of await driver.progress(session, next)) known.set(id, progress);
  }
}

/** Those that are there, by their ids; null of one that is not, and nothing of one that was not asked for. */
async function sightings(
  { driver, session }: Pick<OpenAccount, 'driver' | 'session'>,
  mark: Parameters<OpenAccount['driver']['list']>[1],
  servers: readonly Underway[],
): Promise<Map<string, Sighting | null>> {
  const seen = new Map<string, Sighting | null>();
  for (const each of await driver.list(session, mark)) seen.set(each.providerId, each);
  const unlisted = servers.filter(({ providerId }) => !seen.has(providerId!));
  // Marks follow the panel's address, and people may take them away.
  for (const { providerId } of unlisted.slice(0, mostReads))
    seen.set(providerId!, (await driver.read(session, providerId!)) ?? null);
  return seen;
}

function inTime({ isLate }: Underway, news: News): News {
  if (!isLate || news.kind !== 'nothing') return news;
  return { kind: 'failed', message: 'The provider did not bring it up within an hour' };
}

function withAddress(news: News, seen: Sighting | null | undefined): News {
  return news.kind === 'on' && seen ? { ...news, ipAddress: seen.ipAddress } : news;
}

/** Undefined where the provider knows nothing of what it is at work on. */
function newsByProgress(
  { phase, operationIds }: Underway,
  known: ReadonlyMap<string, Progress>,
): News | undefined {
  if (operationIds.length === 0) return undefined;
  const left = operationIds.slice(operationIds.findIndex((id) => !isDone(known)(id)));
  if (operationIds.every(isDone(known)))
    return phase === ServerPhase.DELETING ? { kind: 'gone' } : { kind: 'on' };
  const current = known.get(left[0]!);
  if (!current) return undefined;
  const { state, percent, message, code } = current;
  if (state === 'failed') return { kind: 'failed', message: `${message ?? 'failed'} (${code ?? 'unknown'})` };
  if (phase === ServerPhase.CREATING && left.length < operationIds.length)
    return { kind: 'made', operationIds: left };
  return { kind: 'nothing', percent };
}

function newsBySight({ phase }: Underway, seen: Sighting | null | undefined): News {
  if (seen === undefined) return { kind: 'nothing', percent: 0 };
  if (phase === ServerPhase.DELETING) return seen ? { kind: 'nothing', percent: 0 } : { kind: 'gone' };
  if (phase === ServerPhase.ENROLLING || phase === ServerPhase.READY) {
    const ipAddress = seen?.ipAddress ?? null;
    return ipAddress === null ? { kind: 'nothing', percent: 0 } : { kind: 'address', ipAddress };
  }
  if (!seen) return { kind: 'failed', message: 'The provider does not have it any more' };
  if (seen.isRunning) return { kind: 'on' };
  return { kind: 'nothing', percent: 0 };
}
