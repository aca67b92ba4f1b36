import type { JobStep } from '#platform/jobs/job.js';

import { alternativesTo, soldOut } from '../catalogue/choose.js';
import type { Created, Driver, Marks, ServerSpec, Sighting } from '../provider/driver.js';
import { marksOf } from '../provider/marks.js';
import { ProviderError, type ProviderErrorKind } from '../provider/provider-error.js';
import { leftBehind } from '../server/live-servers.service.js';
import { lockServer, move } from '../server/move.service.js';
import type { Server } from '../server/server.entity.js';
import { ServerPhase } from '../server/server.phases.js';
import { canInstall, cloudInit, plainCloudInit } from './cloud-init.js';
import { tokenMs } from './fleet-calls.js';
import type { AdvancePayload } from './kinds.js';
import { backoffMs, claimMs, enrollWithinMs, mostFailures } from './pace.js';
import { askerOf, keepLearned, lookSoon, type OpenAccount, type StepTools } from './steps.service.js';

type Step = JobStep<AdvancePayload>;

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

/**
 * Has the server made, once. That it is about to be asked for is written before it is, and nobody else asks meanwhile;
 * whoever comes after a death or a lost answer looks for a server with its marks first, and a name that is taken is looked
 * at for them too.
 */
export async function createAtProvider(tools: StepTools, step: Step, open: OpenAccount): Promise<void> {
  const { tenantId, serverId: id } = step.payload;
  const { now } = step;
  const { blockedUntil, catalogue, provider, sealedToken } = open.account;
  const begun = await step.write(async ({ em, publish }) => {
    // No other token takes its place before it is known here that a server may be in its project.
    const current = await em.execute<unknown[]>(
      `select 1 from hosting.provider_account where tenant_id = ? and provider = ? and sealed_token = ? for share`,
      [tenantId, provider, sealedToken],
    );
    const server = await lockServer(em, tenantId, id);
    const isMine = server?.phase === ServerPhase.REQUESTED || server?.phase === ServerPhase.CREATING;
    if (!server || !isMine || server.providerId !== null) return undefined;
    // Somebody is at it: its call ends before that moment, whatever becomes of it.
    if (server.callingUntil !== null && server.callingUntil > now) return undefined;
    if (current.length === 0) {
      server.dueAt = now;
      return undefined;
    }
    if (blockedUntil && blockedUntil > now) {
      server.dueAt = later(blockedUntil, backoffMs(1));
      return undefined;
    }
    const isRepeat = server.createCalls > 0;
    const dueAt = later(now, claimMs);
    move({ publish }, server, ServerPhase.CREATING, now, {
      createCalls: server.createCalls + 1,
      lastCallAt: now,
      callingUntil: dueAt,
      dueAt,
      failures: server.phase === ServerPhase.REQUESTED ? 0 : server.failures,
    });
    return { server, isRepeat };
  });
  if (!begun) return;
  const { server, isRepeat } = begun;
  const size = catalogue.sizes.find((each) => each.id === server.size);
  try {
    const spec = specOf(tools, open.driver, server, size?.architecture ?? 'x86');
    const earlier = isRepeat ? await find(open, spec.marks) : undefined;
    if (!earlier) requireTime(server, now);
    const made = earlier ?? (await createOrFind(open, spec));
    await keep(step, open, made);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    await takeFailure(tools, step, open, server, error);
  }
}

function specOf(
  { publicUrl, keyring, installer }: StepTools,
  driver: Driver,
  server: Server,
  architecture: string,
): ServerSpec {
  const { name, size, location, sshKeys, sealedToken, id } = server;
  const hostname = name.toLowerCase();
  if (sealedToken !== null && !canInstall(driver, installer))
    throw new ProviderError('REFUSED', 'CLOUD_OS_INSTALLER is not set any more');
  const userData =
    sealedToken === null
      ? plainCloudInit(hostname)
      : cloudInit({
          hostname,
          panelUrl: publicUrl,
          enrollmentToken: keyring.open(sealedToken, id),
          installer,
        });
  return { name, size, location, architecture, sshKeys, userData, marks: marksOf(publicUrl, server) };
}

/** Nothing is paid for whose node would come with a token that has ended. */
function requireTime({ sealedToken, createdAt }: Server, now: Date): void {
  if (sealedToken === null || now.getTime() - createdAt.getTime() <= tokenMs - enrollWithinMs) return;
  throw new ProviderError(
    'REFUSED',
    'It could not be made for so long that its node would come too late to enroll: ask for it again',
  );
}

async function find({ driver, session }: OpenAccount, marks: Marks): Promise<Created | undefined> {
  const seen = await driver.find(session, marks);
  return seen && { seen, operationIds: [] };
}

async function createOrFind(open: OpenAccount, spec: ServerSpec): Promise<Created> {
  try {
    return await open.driver.create(open.session, spec);
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'NAME_TAKEN')) throw error;
    // Ours after all, if a call whose answer was lost has made it.
    const found = await find(open, spec.marks);
    if (found) return found;
    throw error;
  }
}

async function keep(step: Step, open: OpenAccount, { seen, operationIds }: Created): Promise<void> {
  const { tenantId, serverId: id } = step.payload;
  const { now } = step;
  await step.write(async ({ em, publish }) => {
    await keepLearned({ em }, open, undefined, now);
    await lookSoon({ em }, open.account, now);
    const server = await lockServer(em, tenantId, id);
    if (!server || (server.providerId !== null && server.providerId !== seen.providerId)) return;
    const isUnderway = server.phase === ServerPhase.CREATING;
    const isGivenUp = server.phase === ServerPhase.FAILED || server.phase === ServerPhase.DELETING;
    move({ publish }, server, server.phase, now, {
      ...keptOf(server, seen),
      // What was left behind meanwhile costs nothing here.
      ...(server.reason === leftBehind ? { billedFrom: null } : {}),
      // A node that was faster than the answer has told that it is on.
      operationIds: isUnderway ? operationIds : [],
      callingUntil: null,
      failures: 0,
      ...(isUnderway ? { reason: null, message: null, dueAt: null } : {}),
      // Whoever gave it up meanwhile has it taken down again.
      ...(isGivenUp ? { dueAt: now } : {}),
    });
  });
}

/** What becomes known of a server with its being found at the provider. */
export function keptOf(
  { createdAt, ipAddress }: Server,
  seen: Sighting,
): Pick<Server, 'providerId' | 'ipAddress' | 'billedFrom'> {
  return {
    providerId: seen.providerId,
    ipAddress: seen.ipAddress ?? ipAddress,
    billedFrom: seen.createdAt < createdAt ? createdAt : seen.createdAt,
  };
}

const reasons: Partial<Record<ProviderErrorKind, string>> = {
  NAME_TAKEN: 'NAME_TAKEN',
  SOLD_OUT: 'SOLD_OUT',
  QUOTA: 'QUOTA_REACHED',
  UNAUTHORIZED: 'TOKEN_REFUSED',
  READ_ONLY: 'TOKEN_REFUSED',
};

/** Ends in a state that says what happened, with the place given back; or is tried again later. */
async function takeFailure(
  tools: StepTools,
  step: Step,
  open: OpenAccount,
  before: Server,
  error: ProviderError,
): Promise<void> {
  const { tenantId, serverId: id } = step.payload;
  const { now } = step;
  const failures = before.failures + (error.kind === 'RATE_LIMITED' ? 0 : 1);
  const isOver = !error.isPassing || failures >= mostFailures;
  if (isOver && before.enrollmentTokenId !== null)
    await tools.fleet.giveBack(askerOf(step), before.enrollmentTokenId);
  const wanted = { region: before.region, size: before.size, location: before.location };
  const message =
    error.kind === 'SOLD_OUT'
      ? `${soldOut(wanted, alternativesTo(open.account.catalogue, wanted))} (${error.message})`
      : error.message;
  await step.write(async ({ em, publish }) => {
    await keepLearned({ em }, open, error, now);
    const server = await lockServer(em, tenantId, id);
    // Another call was made since, of which this one knows nothing.
    if (server?.createCalls !== before.createCalls) return;
    server.callingUntil = null;
    if (server.phase !== ServerPhase.CREATING || server.providerId !== null) return;
    const reason = error.isPassing ? 'PROVIDER_AWAY' : (reasons[error.kind] ?? 'REFUSED');
    if (!isOver) {
      const settlesAfterMs = error.kind === 'AWAY' ? open.driver.settlesAfterMs : 0;
      const pauseMs = Math.max(error.options.retryAfterMs ?? backoffMs(failures), settlesAfterMs);
      move({ publish }, server, ServerPhase.CREATING, now, {
        failures,
        reason,
        message,
        dueAt: later(now, pauseMs),
      });
      return;
    }
    move({ publish }, server, ServerPhase.FAILED, now, {
      reason,
      message,
      sealedToken: null,
      // It is not known whether this or an earlier call has made it after all: it is looked for, and taken down.
      dueAt: error.isPassing || server.createCalls > 1 ? later(now, claimMs) : null,
    });
  });
}
