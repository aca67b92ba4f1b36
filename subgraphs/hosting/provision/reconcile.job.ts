import type { JobDefinition, JobStep } from '#platform/jobs/job.js';

import { ProviderAccount } from '../provider/account.entity.js';
import type { Sighting } from '../provider/driver.js';
import { ProviderError } from '../provider/provider-error.js';
import { lockServer, move } from '../server/move.service.js';
import { Server } from '../server/server.entity.js';
import { ServerPhase } from '../server/server.phases.js';
import { reconcileKind, type AccountPayload } from './kinds.js';
import { keepLearned, panelMark, type OpenAccount, type StepTools } from './steps.service.js';

type Step = JobStep<AccountPayload>;

const most = 5_000;
/** What is younger may be just under way here. */
const settledMs = 10 * 60_000;

/**
 * Compares what the provider has with what is known here, both ways. Only servers with the marks of this panel and this
 * tenant are looked at. What was deleted here and is there still is deleted again; what nobody here asked for is shown as
 * orphaned, for people to decide; what is not there any more has failed.
 */
export function reconcileJob(tools: StepTools): JobDefinition<AccountPayload> {
  return {
    ...reconcileKind,
    async handle(step) {
      const { tenantId, provider } = step.payload;
      const account = await step.em.findOne(ProviderAccount, { tenantId, provider });
      if (!account) return;
      const { accounts, publicUrl } = tools;
      const open = { account, driver: accounts.driver(provider), session: accounts.session(account) };
      try {
        const mark = { panel: panelMark(publicUrl), tenant: tenantId };
        const seen = await open.driver.list(open.session, mark);
        await knownHere(step, open, seen);
        await missingThere(step, seen);
        await step.write(async ({ em }) => void (await keepLearned({ em }, open, undefined, step.now)));
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        await step.write(async ({ em }) => void (await keepLearned({ em }, open, error, step.now)));
      }
    },
  };
}

/** Everything that is there has its row here, and no row has two. */
async function knownHere(step: Step, open: OpenAccount, seen: readonly Sighting[]): Promise<void> {
  const { tenantId, provider } = step.payload;
  const { now, em } = step;
  const rows = await em.find(
    Server,
    { tenantId, id: { $in: seen.map(({ marks }) => marks!.server) } },
    { limit: most },
  );
  for (const each of seen) {
    if (each.isGoing) continue;
    const row = rows.find(({ id }) => id === each.marks!.server);
    // Somebody has given it the marks of a server of another provider.
    if (row && row.provider !== provider) continue;
    const isSettled = now.getTime() - each.createdAt.getTime() > settledMs;
    if (!row) {
      if (isSettled) await adopt(step, open, each);
    } else if (row.deletedAt !== null) {
      await open.driver.remove(open.session, each.providerId);
    } else if (row.providerId !== null && row.providerId !== each.providerId && isSettled) {
      // A call whose answer was lost has made it a second time.
      await open.driver.remove(open.session, each.providerId);
    }
  }
}

/** Nobody here knows why it is there: a database that was put back, perhaps. It is shown, and not touched. */
async function adopt(step: Step, { account }: OpenAccount, seen: Sighting): Promise<void> {
  const { tenantId, provider } = step.payload;
  const { now } = step;
  await step.write(async ({ em, publish }) => {
    const server = em.create(Server, {
      tenantId,
      id: seen.marks!.server,
      version: '1',
      provider,
      name: seen.name,
      region: 'unknown',
      location: 'unknown',
      size: 'unknown',
      sshKeys: [],
      tags: [],
      installCloudOs: false,
      isProtected: false,
      phase: ServerPhase.ORPHANED,
      phaseAt: now,
      reason: 'UNASKED',
      message: 'It is at the provider with marks of this tenant, but nobody asked for it here',
      progress: 0,
      providerId: seen.providerId,
      operationIds: [],
      createCalls: 1,
      lastCallAt: null,
      failures: 0,
      dueAt: null,
      drainUntil: null,
      missingSince: null,
      ipAddress: seen.ipAddress,
      instanceId: null,
      enrollmentTokenId: null,
      sealedToken: null,
      priceHourly: 0,
      priceMonthly: 0,
      currency: account.catalogue.currency,
      createdAt: seen.createdAt,
      createdBy: 'unknown',
      billedFrom: null,
      billedTo: null,
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

/** Two looks in a row, so that a provider that is slow to list what it has does no harm. */
async function missingThere(step: Step, seen: readonly Sighting[]): Promise<void> {
  const { tenantId, provider } = step.payload;
  const { now, em } = step;
  const there = new Set(seen.map(({ providerId }) => providerId));
  const rows = await em.find(
    Server,
    {
      tenantId,
      provider,
      deletedAt: null,
      providerId: { $ne: null },
      phase: { $in: [ServerPhase.READY, ServerPhase.ENROLLING, ServerPhase.ORPHANED, ServerPhase.FAILED] },
    },
    { limit: most },
  );
  for (const { id, providerId, missingSince, phase } of rows) {
    const isMissing = !there.has(providerId!);
    if (isMissing === (missingSince !== null) && !isMissing) continue;
    await step.write(async ({ em: writer, publish }) => {
      const row = await lockServer(writer, tenantId, id);
      if (row?.phase !== phase || row.providerId !== providerId) return;
      if (!isMissing) row.missingSince = null;
      else if (row.missingSince === null) row.missingSince = now;
      else if (phase === ServerPhase.ORPHANED) row.missingSince = now;
      else
        move({ publish }, row, ServerPhase.FAILED, now, {
          reason: 'SERVER_GONE',
          message: 'The provider does not have it any more',
          providerId: null,
          billedTo: row.billedFrom && row.missingSince,
          dueAt: null,
        });
    });
  }
}
