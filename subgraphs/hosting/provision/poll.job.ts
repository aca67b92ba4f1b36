import type { JobDefinition, JobStep } from '#platform/jobs/job.js';

import { ProviderAccount } from '../provider/account.entity.js';
import type { Progress, Sighting } from '../provider/driver.js';
import { ProviderError } from '../provider/provider-error.js';
import { lockServer, move } from '../server/move.service.js';
import type { Server } from '../server/server.entity.js';
import { ServerPhase } from '../server/server.phases.js';
import { advanceKind, pollKind, type AccountPayload } from './kinds.js';
import { enrollWithinMs, pollMs } from './pace.js';
import { askerOf, keepLearned, panelMark, type OpenAccount, type StepTools } from './steps.service.js';

type Step = JobStep<AccountPayload>;
type Underway = Pick<
  Server,
  'id' | 'phase' | 'providerId' | 'operationIds' | 'progress' | 'enrollmentTokenId' | 'ipAddress'
> & {
  /** The provider was at work on it for longer than anybody waits. */
  isLate: boolean;
};

/** What a look at the provider told of a server. */
type News =
  | { kind: 'nothing'; percent: number }
  | { kind: 'made' }
  | { kind: 'on'; ipAddress?: string | null }
  | { kind: 'address'; ipAddress: string }
  | { kind: 'gone' }
  | { kind: 'failed'; message: string };

/**
 * The provider is at work on it; or its node was here before the provider had told its address, which is waited for a while.
 */
const isUnderway = `deleted_at is null and provider_id is not null and (phase in ('CREATING', 'BOOTING', 'DELETING')
  or (ip_address is null and phase in ('ENROLLING', 'READY') and phase_at > ?::timestamptz))`;
const addressWithinMs = 10 * 60_000;
const madeWithinMs = 60 * 60_000;
const most = 5_000;
const writtenAtOnce = 100;
/** Steps of progress that are told. */
const percentStep = 20;

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

/**
 * Asks for everything that an account's provider is at work on, in as few requests as can be, and moves on the servers for
 * which something is new. There is one such look at a time, whatever the number of servers.
 */
export function pollJob(tools: StepTools): JobDefinition<AccountPayload> {
  return {
    ...pollKind,
    async handle(step) {
      const { tenantId, provider } = step.payload;
      const account = await step.em.findOne(ProviderAccount, { tenantId, provider });
      if (!account) return;
      const { accounts } = tools;
      const open = { account, driver: accounts.driver(provider), session: accounts.session(account) };
      const servers = await underway(step);
      let failure: ProviderError | undefined;
      let changes: [Underway, News][] = [];
      try {
        const isBlocked = account.blockedUntil !== null && account.blockedUntil > step.now;
        if (!isBlocked) changes = await look(tools, open, tenantId, servers);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        failure = error;
      }
      for (const [server, news] of changes)
        if (news.kind === 'failed' && server.enrollmentTokenId !== null)
          await tools.fleet.release(askerOf(step), server.enrollmentTokenId);
      for (let from = 0; from < changes.length; from += writtenAtOnce)
        await apply(step, changes.slice(from, from + writtenAtOnce));
      const isQuiet = changes.every(([, { kind }]) => kind === 'nothing');
      await plan(step, open, servers.length, isQuiet, failure);
    },
  };
}

async function underway({ em, payload, now }: Step): Promise<Underway[]> {
  return em.execute<Underway[]>(
    `select id, phase, provider_id as "providerId", operation_ids as "operationIds", progress,
       enrollment_token_id as "enrollmentTokenId", ip_address as "ipAddress",
       phase in ('CREATING', 'BOOTING') and phase_at < ?::timestamptz as "isLate"
     from hosting.server where tenant_id = ? and provider = ? and ${isUnderway} order by id limit ?`,
    [later(now, -madeWithinMs), payload.tenantId, payload.provider, later(now, -addressWithinMs), most],
  );
}

async function look(
  tools: StepTools,
  { driver, session }: OpenAccount,
  tenant: string,
  servers: readonly Underway[],
): Promise<[Underway, News][]> {
  const operationIds = servers.flatMap((server) => server.operationIds);
  const known: ReadonlyMap<string, Progress> =
    operationIds.length > 0 ? await driver.progress(session, operationIds) : new Map();
  const isUnknown = ({ operationIds: ids }: Underway) => ids.length === 0 || ids.some((id) => !known.has(id));
  const told = servers.map((server): [Underway, News | undefined] => [
    server,
    isUnknown(server)
      ? undefined
      : newsByProgress(
          server,
          server.operationIds.map((id) => known.get(id)!),
        ),
  ]);
  // Those that were found and not made, and those that had no address before they were on, are looked at: all in one list.
  const isToSee = ([{ ipAddress }, news]: [Underway, News | undefined]) =>
    news === undefined || (news.kind === 'on' && ipAddress === null);
  const seen = new Map<string, Sighting>();
  if (told.some(isToSee))
    for (const each of await driver.list(session, { panel: panelMark(tools.publicUrl), tenant }))
      seen.set(each.providerId, each);
  return told.flatMap(([server, progress]) => {
    const sighting = seen.get(server.providerId!);
    const news = inTime(server, withAddress(progress ?? newsBySight(server, sighting), sighting));
    const isNew = news.kind !== 'nothing' || news.percent >= server.progress + percentStep;
    return isNew ? [[server, news] satisfies [Underway, News]] : [];
  });
}

function inTime({ isLate }: Underway, news: News): News {
  if (!isLate || news.kind !== 'nothing') return news;
  return { kind: 'failed', message: 'The provider did not bring it up within an hour' };
}

function withAddress(news: News, seen: Sighting | undefined): News {
  return news.kind === 'on' && seen ? { ...news, ipAddress: seen.ipAddress } : news;
}

function newsByProgress({ phase }: Underway, operations: readonly Progress[]): News {
  const failed = operations.find(({ state }) => state === 'failed');
  if (failed)
    return { kind: 'failed', message: `${failed.message ?? 'failed'} (${failed.code ?? 'unknown'})` };
  if (operations.every(({ state }) => state === 'done'))
    return phase === ServerPhase.DELETING ? { kind: 'gone' } : { kind: 'on' };
  if (phase === ServerPhase.CREATING && operations[0]?.state === 'done') return { kind: 'made' };
  const running = operations.find(({ state }) => state === 'running');
  return { kind: 'nothing', percent: running?.percent ?? 0 };
}

function newsBySight({ phase }: Underway, seen: Sighting | undefined): News {
  if (phase === ServerPhase.DELETING) return seen ? { kind: 'nothing', percent: 0 } : { kind: 'gone' };
  if (phase === ServerPhase.ENROLLING || phase === ServerPhase.READY) {
    const ipAddress = seen?.ipAddress ?? null;
    return ipAddress === null ? { kind: 'nothing', percent: 0 } : { kind: 'address', ipAddress };
  }
  if (!seen) return { kind: 'failed', message: 'The provider does not have it any more' };
  if (seen.isRunning) return { kind: 'on' };
  return { kind: 'nothing', percent: 0 };
}

async function apply(step: Step, changes: readonly [Underway, News][]): Promise<void> {
  const { tenantId } = step.payload;
  const { now } = step;
  await step.write(async ({ em, publish, enqueue }) => {
    for (const [{ id, phase }, news] of changes) {
      const server = await lockServer(em, tenantId, id);
      if (server?.phase !== phase) continue;
      if (news.kind === 'nothing') move({ publish }, server, phase, now, { progress: news.percent });
      if (news.kind === 'address') move({ publish }, server, phase, now, { ipAddress: news.ipAddress });
      if (news.kind === 'made') move({ publish }, server, ServerPhase.BOOTING, now);
      if (news.kind === 'on') {
        const address = news.ipAddress === undefined ? {} : { ipAddress: news.ipAddress };
        const done = { ...address, operationIds: [], reason: null, message: null };
        if (server.installCloudOs)
          move({ publish }, server, ServerPhase.ENROLLING, now, {
            ...done,
            dueAt: later(now, enrollWithinMs),
          });
        else move({ publish }, server, ServerPhase.READY, now, { ...done, readyAt: now, dueAt: null });
      }
      const isDeleting = phase === ServerPhase.DELETING;
      if (news.kind === 'gone' || (news.kind === 'failed' && isDeleting)) {
        move({ publish }, server, phase, now, { operationIds: [], dueAt: later(now, 5_000) });
        enqueue(advanceKind, { tenantId, serverId: id });
      } else if (news.kind === 'failed') {
        move({ publish }, server, ServerPhase.FAILED, now, {
          reason: 'PROVIDER_FAILED',
          message: news.message,
          sealedToken: null,
          operationIds: [],
          dueAt: later(now, 5_000),
        });
        enqueue(advanceKind, { tenantId, serverId: id });
      }
    }
  });
}

/** When to look next; never, while nothing is under way. */
async function plan(
  step: Step,
  open: OpenAccount,
  servers: number,
  isQuiet: boolean,
  failure: ProviderError | undefined,
): Promise<void> {
  const { tenantId, provider } = step.payload;
  const { now } = step;
  const { account, driver, session } = open;
  const quietPolls = isQuiet ? Math.min(account.quietPolls + 1, 10) : 0;
  const requests = Math.ceil((servers * 2) / driver.operationsPerRequest) || 1;
  const budget = {
    limit: session.learned.limit ?? account.budgetLimit,
    left: session.learned.left ?? account.budgetLeft,
  };
  const pauseMs = failure?.options.retryAfterMs ?? pollMs({ requests, quietPolls }, budget);
  await step.write(async ({ em }) => {
    await keepLearned({ em }, open, failure, now);
    await em.execute(
      `update hosting.provider_account a set quiet_polls = ?, poll_at = case when exists (
         select from hosting.server s where s.tenant_id = a.tenant_id and s.provider = a.provider and ${isUnderway})
         then ?::timestamptz end
       where tenant_id = ? and provider = ?`,
      [quietPolls, later(now, -addressWithinMs), later(now, pauseMs), tenantId, provider],
    );
  });
}
