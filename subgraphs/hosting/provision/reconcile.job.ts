import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { JobDefinition, JobStep } from '#platform/jobs/job.js';
import { Room } from '#platform/jobs/room.js';

import { addressPrice, type Price } from '../catalogue/choose.js';
import { ProviderAccount } from '../provider/account.entity.js';
import type { Catalogue, Sighting } from '../provider/driver.js';
import { panelMark } from '../provider/marks.js';
import { ProviderError, type ProviderErrorKind } from '../provider/provider-error.js';
import { leftBehind } from '../server/live-servers.service.js';
import { lockServer, move, type Change } from '../server/move.service.js';
import { Server } from '../server/server.entity.js';
import { ServerPhase } from '../server/server.phases.js';
import { withStep } from '../server/server.steps.js';
import { keptOf } from './create.job.js';
import { mostLooks, reconcileKind, sharesOf, type AccountPayload } from './kinds.js';
import { accountAgain, keepLearned, type OpenAccount, type StepTools } from './steps.service.js';

type Step = JobStep<AccountPayload>;

const most = 5_000;
/** What is younger may be just under way here. */
const settledMs = 10 * 60_000;
/** Servers that are asked for one by one in one look. The others have their turn in the next ones. */
const mostReads = 50;
/** In which nothing else sees to a server. */
const settledPhases: readonly ServerPhase[] = [
  ServerPhase.READY,
  ServerPhase.ENROLLING,
  ServerPhase.ORPHANED,
  ServerPhase.FAILED,
];
/** What says something of the account, and not of the server that was asked for. */
const ofAccount: readonly ProviderErrorKind[] = ['UNAUTHORIZED', 'READ_ONLY', 'RATE_LIMITED'];

/**
 * Compares what the provider has with what is known here, both ways. Only servers with the marks of this panel and this
 * tenant are looked at. What was deleted here and is there still is deleted again; what nobody here asked for is shown as
 * orphaned, for people to decide; what is not there any more has failed. Marks follow the panel's address, and people may
 * take them away, so a server that is not among the marked ones is asked for by its id before it is given up.
 */
export function reconcileJob(tools: StepTools): JobDefinition<AccountPayload> {
  const room = new Room();
  return {
    ...reconcileKind,
    async handle(step) {
      const { tenantId, provider, dueAt } = step.payload;
      const account = await step.em.findOne(ProviderAccount, { tenantId, provider });
      if (!account || account.reconcileAt.toISOString() !== dueAt) return;
      const hasRoom = await room.run(sharesOf(account, mostLooks), async () =>
        reconcile(tools, step, account),
      );
      if (!hasRoom) await accountAgain(step, 'reconcile_at');
    },
  };
}

async function reconcile(
  { accounts, publicUrl }: StepTools,
  step: Step,
  account: ProviderAccount,
): Promise<void> {
  const { tenantId, provider } = account;
  const open = { account, driver: accounts.driver(provider), session: accounts.session(account) };
  let failure: ProviderError | undefined;
  try {
    const mark = { panel: panelMark(publicUrl), tenant: tenantId };
    const seen = await open.driver.list(open.session, mark);
    await knownHere(step, open, seen);
    await missingThere(step, open, seen);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    failure = error;
  }
  await step.write(async ({ em }) => void (await keepLearned({ em }, open, failure, step.now)));
}

/** Everything that is there has its row here, and no row has two. */
async function knownHere(step: Step, open: OpenAccount, seen: readonly Sighting[]): Promise<void> {
  const { tenantId, provider } = step.payload;
  const rows = await step.em.find(
    Server,
    { tenantId, id: { $in: seen.map(({ marks }) => marks!.server) } },
    { limit: most },
  );
  for (const each of seen) {
    if (each.isGoing) continue;
    const row = rows.find(({ id }) => id === each.marks!.server);
    // Somebody has given it the marks of a server of another provider.
    if (row && row.provider !== provider) continue;
    try {
      await compare(step, open, seen, each, row);
    } catch (error) {
      // One that can not be deleted, as it is protected there, holds up none of the others.
      if (!(error instanceof ProviderError) || ofAccount.includes(error.kind)) throw error;
    }
  }
}

async function compare(
  step: Step,
  open: OpenAccount,
  seen: readonly Sighting[],
  each: Sighting,
  row: Server | undefined,
): Promise<void> {
  const isSettled = step.now.getTime() - each.createdAt.getTime() > settledMs;
  if (!row) {
    if (isSettled) await adopt(step, open, each);
  } else if (row.reason === leftBehind) {
    // Whoever let go of it may have it still.
  } else if (row.deletedAt !== null) {
    await open.driver.remove(open.session, each.providerId);
  } else if (row.providerId === null) {
    await found(step, each);
  } else if (row.providerId !== each.providerId && isSettled) {
    // A call whose answer was lost has made it a second time. When the first one is gone it is the only one.
    if (!(await isThere(open, seen, row.providerId))) await takeInstead(step, row as Known, each);
    // Of what nobody here asked for people decide.
    else if (row.phase !== ServerPhase.ORPHANED) await open.driver.remove(open.session, each.providerId);
  }
}

async function isThere(
  { driver, session }: OpenAccount,
  seen: readonly Sighting[],
  providerId: string,
): Promise<boolean> {
  const listed = seen.find((each) => each.providerId === providerId);
  const sighting = listed ?? (await driver.read(session, providerId));
  return sighting !== undefined && !sighting.isGoing;
}

/** It was made by a call whose answer is not here: its node came in first, or it had been given up. */
async function found(step: Step, seen: Sighting): Promise<void> {
  const { tenantId } = step.payload;
  const { now } = step;
  await step.write(async ({ em, publish }) => {
    const row = await lockServer(em, tenantId, seen.marks!.server);
    if (!row || row.providerId !== null || row.deletedAt !== null) return;
    // Whoever is at it, or will be, finds it too.
    const isBeingMade = row.phase === ServerPhase.REQUESTED || row.phase === ServerPhase.CREATING;
    if (isBeingMade || (row.callingUntil !== null && row.callingUntil > now)) return;
    const isKept = row.phase !== ServerPhase.FAILED || row.reason === 'ENROLLMENT_TIMED_OUT';
    move({ publish }, row, row.phase, now, { ...keptOf(row, seen), ...(isKept ? {} : { dueAt: now }) });
  });
}

/** Nobody here knows why it is there: a database that was put back, perhaps. It is shown, and not touched. */
async function adopt(step: Step, { account }: OpenAccount, seen: Sighting): Promise<void> {
  const { tenantId, provider } = step.payload;
  const { now } = step;
  await step.write(async ({ em, publish }) => {
    await advisoryLock(em, 'hosting.servers', tenantId);
    // Of two with the same marks the first has its row; so has one that another look was faster with.
    const known = await em.execute<unknown[]>('select 1 from hosting.server where tenant_id = ? and id = ?', [
      tenantId,
      seen.marks!.server,
    ]);
    if (known.length > 0) return;
    const taken = await em.execute<unknown[]>(
      'select 1 from hosting.server where tenant_id = ? and provider = ? and lower(name) = lower(?) and deleted_at is null',
      [tenantId, provider, seen.name],
    );
    const prices = pricesOf(account.catalogue, seen);
    const message = 'It is at the provider with marks of this tenant, but nobody asked for it here';
    const server = em.create(Server, {
      tenantId,
      id: seen.marks!.server,
      version: '1',
      provider,
      // One server has a name here; at some providers any number have.
      name: taken.length === 0 ? seen.name : `${seen.name} (${seen.providerId})`,
      region: seen.location ?? 'unknown',
      location: seen.location ?? 'unknown',
      size: seen.size ?? 'unknown',
      sshKeys: [],
      tags: [],
      installCloudOs: false,
      isProtected: false,
      phase: ServerPhase.ORPHANED,
      phaseAt: now,
      steps: withStep([], { phase: ServerPhase.ORPHANED, at: now, message }),
      reason: 'UNASKED',
      message,
      progress: 0,
      providerId: seen.providerId,
      operationIds: [],
      createCalls: 1,
      lastCallAt: null,
      callingUntil: null,
      failures: 0,
      dueAt: null,
      drainUntil: null,
      missingSince: null,
      ipAddress: seen.ipAddress,
      instanceId: null,
      enrollmentTokenId: null,
      sealedToken: null,
      priceHourly: prices?.server.priceHourly ?? 0,
      priceMonthly: prices?.server.priceMonthly ?? 0,
      ipv4PriceHourly: prices?.address.priceHourly ?? 0,
      ipv4PriceMonthly: prices?.address.priceMonthly ?? 0,
      currency: account.catalogue.currency,
      createdAt: seen.createdAt,
      createdBy: 'unknown',
      billedFrom: prices ? seen.createdAt : null,
      billedTo: null,
      leftovers: [],
      readyAt: null,
      deletedAt: null,
    });
    await em.flush();
    publish({
      topic: 'hosting.server.changed',
      tenantId,
      entityId: server.id,
      payload: { serverId: server.id, from: null, to: ServerPhase.ORPHANED },
    });
  });
}

/** What a server costs that was found, as the catalogue has it now; undefined where that does not know its size there. */
function pricesOf(
  catalogue: Catalogue,
  { size, location, ipAddress }: Sighting,
): { server: Price; address: Price } | undefined {
  const places = catalogue.sizes.find(({ id }) => id === size)?.places;
  const server = places?.find(({ region }) => region === location);
  if (!server || location === null) return undefined;
  const free = { priceHourly: 0, priceMonthly: 0 };
  return { server, address: ipAddress === null ? free : addressPrice(catalogue, location) };
}

type Known = Pick<Server, 'id' | 'phase' | 'reason' | 'missingSince'> & { providerId: string };

/** Two looks in a row, so that a provider that is slow to list what it has does no harm; and the second asks by id. */
async function missingThere(step: Step, open: OpenAccount, seen: readonly Sighting[]): Promise<void> {
  const { tenantId, provider } = step.payload;
  const there = new Set(seen.map(({ providerId }) => providerId));
  const rows = await step.em.find(
    Server,
    {
      tenantId,
      provider,
      deletedAt: null,
      providerId: { $ne: null },
      $or: [
        { phase: { $in: [ServerPhase.READY, ServerPhase.ENROLLING, ServerPhase.ORPHANED] } },
        // One that is due is being taken down.
        { phase: ServerPhase.FAILED, dueAt: null },
      ],
    },
    { limit: most, orderBy: { missingSince: 'asc nulls last' } },
  );
  let reads = 0;
  for (const row of rows as Known[]) {
    const isGone = row.reason === 'SERVER_GONE';
    if (there.has(row.providerId)) {
      if (isGone) await update(step, row, (each, tell) => isBack(each, tell, step.now));
      else if (row.missingSince !== null) await update(step, row, (each) => (each.missingSince = null));
    } else if (row.missingSince === null) {
      await update(step, row, (each) => (each.missingSince = step.now));
    } else if (!isGone && row.phase !== ServerPhase.ORPHANED && reads < mostReads) {
      reads += 1;
      // Last in the order of whom to ask next.
      if (await isThere(open, seen, row.providerId))
        await update(step, row, (each) => (each.missingSince = step.now));
      else await update(step, row, (each, tell) => isLost(each, tell, step.now));
    }
  }
}

type Tell = Parameters<typeof move>[0];

async function update(
  step: Step,
  { id, providerId, phase }: Known,
  change: (row: Server, tell: Tell) => unknown,
): Promise<void> {
  await step.write(async ({ em, publish }) => {
    const row = await lockServer(em, step.payload.tenantId, id);
    if (row?.phase !== phase || row.providerId !== providerId) return;
    change(row, { publish });
  });
}

/** Its id is kept: should it be there after all, it can be taken down. */
function isLost(row: Server, tell: Tell, now: Date): void {
  move(tell, row, ServerPhase.FAILED, now, {
    reason: 'SERVER_GONE',
    message: 'The provider does not have it any more',
    billedTo: row.missingSince,
    dueAt: null,
  });
}

/** What is left of two is the server from now on. One under way, or on its way out, is seen to by its own steps. */
async function takeInstead(step: Step, known: Known, seen: Sighting): Promise<void> {
  await update(step, known, (row, tell) => {
    const isBeingTakenDown = row.phase === ServerPhase.FAILED && row.dueAt !== null;
    if (!settledPhases.includes(row.phase) || isBeingTakenDown) return;
    // It goes on costing as the first one did.
    const { providerId, ipAddress } = keptOf(row, seen);
    const taken = { providerId, ipAddress, missingSince: null, billedTo: null };
    if (row.reason === 'SERVER_GONE') isBack(row, tell, step.now, taken);
    else move(tell, row, row.phase, step.now, taken);
  });
}

function isBack(row: Server, tell: Tell, now: Date, change: Change = {}): void {
  const found = { ...change, missingSince: null, billedTo: null };
  if (row.readyAt !== null)
    move(tell, row, ServerPhase.READY, now, { ...found, reason: null, message: null, progress: 100 });
  else
    move(tell, row, row.phase, now, {
      ...found,
      reason: 'ENROLLMENT_TIMED_OUT',
      message: 'It is there again, but its node has not enrolled',
    });
}
