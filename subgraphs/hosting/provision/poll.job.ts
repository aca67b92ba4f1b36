import type { JobDefinition, JobStep } from '#platform/jobs/job.js';
import { Room } from '#platform/jobs/room.js';

import { ProviderAccount } from '../provider/account.entity.js';
import { ProviderError } from '../provider/provider-error.js';
import { lockServers, move } from '../server/move.service.js';
import { ServerPhase } from '../server/server.phases.js';
import { advanceKind, mostLooks, pollKind, sharesOf, type AccountPayload } from './kinds.js';
import { look, type News, type Underway } from './look.js';
import { enrollWithinMs, pollMs, refusedMs } from './pace.js';
import { accountAgain, askerOf, keepLearned, type OpenAccount, type StepTools } from './steps.service.js';

type Step = JobStep<AccountPayload>;

/**
 * The provider is at work on it; or its node was here before the provider had told its address, which is waited for a while.
 */
const isUnderway = `deleted_at is null and provider_id is not null and (phase in ('CREATING', 'BOOTING', 'DELETING')
  or (ip_address is null and phase in ('ENROLLING', 'READY') and phase_at > ?::timestamptz))`;
/** Before the call that made it the provider was not at work on it; the panel may have been away between two calls. */
const since = 'greatest(phase_at, last_call_at)';
const addressWithinMs = 10 * 60_000;
const madeWithinMs = 60 * 60_000;
const most = 5_000;
const writtenAtOnce = 100;
/** Between looks while the provider refuses the token; another token that is connected ends the pause. */
const refusedLookMs = 60_000;

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

/**
 * Asks for everything that an account's provider is at work on, in as few requests as can be, and moves on the servers for
 * which something is new. There is one such look at a time, whatever the number of servers.
 */
export function pollJob(tools: StepTools): JobDefinition<AccountPayload> {
  const room = new Room();
  return {
    ...pollKind,
    async handle(step) {
      const { tenantId, provider, dueAt } = step.payload;
      const account = await step.em.findOne(ProviderAccount, { tenantId, provider });
      if (!account?.pollAt || account.pollAt.toISOString() !== dueAt) return;
      const hasRoom = await room.run(sharesOf(account, mostLooks), async () => poll(tools, step, account));
      if (!hasRoom) await accountAgain(step, 'poll_at');
    },
  };
}

async function poll(tools: StepTools, step: Step, account: ProviderAccount): Promise<void> {
  const { tenantId, provider } = account;
  const { accounts } = tools;
  const open = { account, driver: accounts.driver(provider), session: accounts.session(account) };
  const servers = await underway(step);
  let failure: ProviderError | undefined;
  let changes: [Underway, News][] = [];
  const isBlocked = account.blockedUntil !== null && account.blockedUntil > step.now;
  const isAsked = !isBlocked && servers.length > 0;
  try {
    if (isAsked) changes = await look(tools, open, tenantId, servers);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    failure = error;
    changes = unseen(servers, error);
  }
  for (const [server, news] of changes)
    if (news.kind === 'failed' && server.enrollmentTokenId !== null)
      await tools.fleet.giveBack(askerOf(step), server.enrollmentTokenId);
  // What only came further can wait for what has changed.
  const isWaiting = ([, { kind }]: [Underway, News]) => Number(kind === 'nothing');
  const ordered = changes.toSorted((a, b) => isWaiting(a) - isWaiting(b));
  for (let from = 0; from < ordered.length; from += writtenAtOnce)
    await apply(step, ordered.slice(from, from + writtenAtOnce));
  const isQuiet = changes.every(([, { kind }]) => kind === 'nothing');
  await plan(step, open, { servers: servers.length, isAsked, isQuiet, failure });
}

async function underway({ em, payload, now }: Step): Promise<Underway[]> {
  return em.execute<Underway[]>(
    `select id, phase, provider_id as "providerId", operation_ids as "operationIds", progress,
       enrollment_token_id as "enrollmentTokenId", ip_address as "ipAddress",
       phase in ('CREATING', 'BOOTING') and ${since} < ?::timestamptz as "isStale",
       phase in ('CREATING', 'BOOTING') and ${since} < ?::timestamptz as "isLate"
     from hosting.server where tenant_id = ? and provider = ? and ${isUnderway} order by id limit ?`,
    [
      later(now, -refusedMs),
      later(now, -madeWithinMs),
      payload.tenantId,
      payload.provider,
      later(now, -addressWithinMs),
      most,
    ],
  );
}

/** Nobody waits for ever for a provider that is away, nor for one that refuses the token. */
function unseen(servers: readonly Underway[], { kind, message }: ProviderError): [Underway, News][] {
  const isRefused = kind === 'UNAUTHORIZED' || kind === 'READ_ONLY';
  const reason = isRefused ? 'TOKEN_REFUSED' : 'PROVIDER_AWAY';
  return servers
    .filter(({ isStale, isLate }) => (isRefused ? isStale : isLate))
    .map((server) => [server, { kind: 'failed', reason, message }]);
}

async function apply(step: Step, changes: readonly [Underway, News][]): Promise<void> {
  const { tenantId } = step.payload;
  const { now } = step;
  const dueAt = later(now, 5_000);
  await step.write(async ({ em, publish, enqueue }) => {
    const ids = changes.map(([{ id }]) => id);
    const servers = new Map((await lockServers(em, tenantId, ids)).map((server) => [server.id, server]));
    for (const [{ id, phase }, news] of changes) {
      const server = servers.get(id);
      if (server?.phase !== phase) continue;
      if (news.kind === 'nothing') move({ publish }, server, phase, now, { progress: news.percent });
      if (news.kind === 'address') move({ publish }, server, phase, now, { ipAddress: news.ipAddress });
      if (news.kind === 'made')
        move({ publish }, server, ServerPhase.BOOTING, now, { operationIds: news.operationIds });
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
        move({ publish }, server, phase, now, { operationIds: [], dueAt });
        enqueue(advanceKind, { tenantId, serverId: id, dueAt: dueAt.toISOString() });
      } else if (news.kind === 'failed') {
        move({ publish }, server, ServerPhase.FAILED, now, {
          reason: news.reason ?? 'PROVIDER_FAILED',
          message: news.message,
          sealedToken: null,
          operationIds: [],
          dueAt,
        });
        enqueue(advanceKind, { tenantId, serverId: id, dueAt: dueAt.toISOString() });
      }
    }
  });
}

/** When to look next; never, while nothing is under way. */
async function plan(
  step: Step,
  open: OpenAccount,
  {
    servers,
    isAsked,
    isQuiet,
    failure,
  }: { servers: number; isAsked: boolean; isQuiet: boolean; failure: ProviderError | undefined },
): Promise<void> {
  const { tenantId, provider } = step.payload;
  const { now } = step;
  const { account, driver, session } = open;
  const quietPolls = isQuiet ? Math.min(account.quietPolls + 1, 10) : 0;
  const requests = Math.ceil(servers / driver.operationsPerRequest) + 1;
  const budget = {
    limit: session.learned.limit ?? account.budgetLimit,
    left: session.learned.left ?? account.budgetLeft,
  };
  const isRefused = failure?.kind === 'UNAUTHORIZED' || failure?.kind === 'READ_ONLY';
  const pauseMs = isRefused
    ? refusedLookMs
    : (failure?.options.retryAfterMs ?? pollMs({ requests, quietPolls }, budget));
  await step.write(async ({ em }) => {
    // Whoever has put something under way meanwhile has locked the row as well, and is seen by what follows.
    await em.execute(
      'select 1 from hosting.provider_account where tenant_id = ? and provider = ? for update',
      [tenantId, provider],
    );
    if (isAsked) await keepLearned({ em }, open, failure, now);
    await em.execute(
      `update hosting.provider_account a set quiet_polls = ?, poll_at = case when exists (
         select from hosting.server s where s.tenant_id = a.tenant_id and s.provider = a.provider and ${isUnderway})
         then ?::timestamptz end
       where tenant_id = ? and provider = ?`,
      [quietPolls, later(now, -addressWithinMs), later(now, pauseMs), tenantId, provider],
    );
  });
}
