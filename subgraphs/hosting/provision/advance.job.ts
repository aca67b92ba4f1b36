import type { JobDefinition, JobStep } from '#platform/jobs/job.js';
import { Room } from '#platform/jobs/room.js';

import { ProviderAccount } from '../provider/account.entity.js';
import { tokenEnded } from '../provider/provider-error.js';
import { leftBehind } from '../server/live-servers.service.js';
import { lockServer, move } from '../server/move.service.js';
import { Server } from '../server/server.entity.js';
import { ServerPhase } from '../server/server.phases.js';
import { createAtProvider } from './create.job.js';
import { advanceKind, mostSteps, sharesOf, type AdvancePayload } from './kinds.js';
import { callsWithinMs, claimMs, crowdedMs, enrollWithinMs } from './pace.js';
import { drain, finish, remove } from './remove.job.js';
import { askerOf, type OpenAccount, type StepTools } from './steps.service.js';

const noAccount = 'There is no account with the provider any more';

/**
 * Takes a server's next step, whatever that is by its phase. Any number of these may run for one server: what was done is
 * seen in its row, and what was begun is looked for at the provider.
 */
export function advanceJob(tools: StepTools): JobDefinition<AdvancePayload> {
  const room = new Room();
  return {
    ...advanceKind,
    async handle(step) {
      const { tenantId, serverId: id, dueAt } = step.payload;
      const server = await step.em.findOne(Server, { tenantId, id });
      // Somebody has taken it up since, or it is not due any more.
      if (!server?.dueAt || server.dueAt.toISOString() !== dueAt) return;
      const hasRoom = await room.run(sharesOf(server, mostSteps), async () => advance(tools, step, server));
      if (!hasRoom) await waitForRoom(step);
    },
  };
}

async function advance(tools: StepTools, step: JobStep<AdvancePayload>, server: Server): Promise<void> {
  switch (server.phase) {
    case ServerPhase.REQUESTED:
    case ServerPhase.CREATING: {
      if (server.providerId !== null) return;
      if (tools.isSuspended(server.tenantId)) return giveUp(tools, step, server);
      const open = await openAccount(tools, step, server, AbortSignal.timeout(callsWithinMs));
      if (open && open.account.sealedToken !== null) await createAtProvider(tools, step, open);
      else await fail(tools, step, server, 'TOKEN_REFUSED', open ? tokenEnded : noAccount);
      return;
    }
    case ServerPhase.ENROLLING:
      if (step.now.getTime() - server.phaseAt.getTime() < enrollWithinMs) return;
      return fail(
        tools,
        step,
        server,
        'ENROLLMENT_TIMED_OUT',
        'Its node did not enroll in time: the server is there, and can be looked at or decommissioned',
      );
    case ServerPhase.DRAINING:
      return drain(tools, step, server);
    case ServerPhase.FAILED:
    case ServerPhase.DELETING: {
      // An account that was connected since is not asked for what was left behind.
      const isLeft = server.reason === leftBehind;
      const open = isLeft ? undefined : await openAccount(tools, step, server);
      if (open) await remove(tools, step, server, open);
      else if (server.phase === ServerPhase.DELETING) await finish(tools, step, server);
      return;
    }
    case ServerPhase.BOOTING:
    case ServerPhase.READY:
    case ServerPhase.ORPHANED:
    case ServerPhase.DELETED:
  }
}

/** Of a tenant that is suspended nothing is bought: nobody could sign in to get rid of it. */
async function giveUp(tools: StepTools, step: JobStep<AdvancePayload>, server: Server): Promise<void> {
  // A call whose answer was lost may have made it: it is looked for, and taken down.
  const dueAt = server.createCalls > 0 ? new Date(step.now.getTime() + claimMs) : null;
  const message = 'The organization was suspended before it was made';
  await fail(tools, step, server, 'TENANT_SUSPENDED', message, dueAt);
}

async function waitForRoom({
  payload: { tenantId, serverId, dueAt },
  now,
  write,
}: JobStep<AdvancePayload>): Promise<void> {
  await write(async ({ em }) => {
    const row = await lockServer(em, tenantId, serverId);
    if (row?.dueAt?.toISOString() === dueAt) row.dueAt = new Date(now.getTime() + crowdedMs);
  });
}

async function openAccount(
  { accounts }: StepTools,
  { em }: JobStep<AdvancePayload>,
  { tenantId, provider }: Server,
  signal?: AbortSignal,
): Promise<OpenAccount | undefined> {
  const account = await em.findOne(ProviderAccount, { tenantId, provider });
  if (!account) return undefined;
  return { account, driver: accounts.driver(provider), session: accounts.session(account, signal) };
}

async function fail(
  { fleet }: StepTools,
  step: JobStep<AdvancePayload>,
  { tenantId, id, phase, enrollmentTokenId }: Server,
  reason: string,
  message: string,
  dueAt: Date | null = null,
): Promise<void> {
  // A node that could not come, as the panel was away, may come later: its token ends by itself.
  const mayCome = phase === ServerPhase.ENROLLING;
  if (enrollmentTokenId !== null && !mayCome) await fleet.giveBack(askerOf(step), enrollmentTokenId);
  await step.write(async ({ em, publish }) => {
    const row = await lockServer(em, tenantId, id);
    if (row?.phase !== phase) return;
    move({ publish }, row, ServerPhase.FAILED, step.now, { reason, message, sealedToken: null, dueAt });
  });
}
