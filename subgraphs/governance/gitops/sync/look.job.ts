import { LockMode } from '@mikro-orm/core';

import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError } from '#platform/errors.js';
import type { JobDefinition, JobWrite } from '#platform/jobs/job.js';
import type { Logger } from '#platform/logger.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { Repositories } from '../git/repository.js';
import { GitOpsConfig } from '../gitops-config.entity.js';
import { apply, type Applied } from './apply.service.js';
import { compare, type Comparison } from './compare.service.js';
import { dueChanges } from './due-changes.js';
import {
  claimMs,
  crowdedMs,
  longestLookMs,
  lookKind,
  mostOfTenant,
  suspendedMs,
  type GitOpsPayload,
  type Host,
} from './kinds.js';
import { LookRoom, type LookPlace } from './look-room.js';
import type { LookStep } from './look.step.js';
import { newestOf, type Newest } from './newest.service.js';
import type { PanelCalls } from './panel-calls.js';
import { settle } from './settle.service.js';
import { wishFor } from './wish.js';

export interface LookTools {
  repositories: Repositories;
  panel: PanelCalls;
  keyring: Keyring;
  entitlements: Entitlements;
  logger: Logger;
  isSuspended: (tenantId: string) => boolean;
}

const nothing: Applied = { done: [], left: [], problems: [], refusals: {}, canaries: new Map() };

/**
 * Looks at a repository: what is new, what of it is not so, and puts that right where it may. One look at a time: whoever
 * comes meanwhile leaves it to the one under way to have another made. All of it can be repeated: what was done is seen in
 * what there is.
 */
export function lookJob(tools: LookTools): JobDefinition<GitOpsPayload> {
  const room = new LookRoom();
  return {
    ...lookKind,
    async handle(step) {
      const place = room.place();
      try {
        if (await begin(tools, step, place)) await look(tools, step);
      } finally {
        place.leave();
      }
    },
  };
}

async function look(tools: LookTools, step: LookStep): Promise<void> {
  const { tenantId, configId: id } = step.payload;
  const found = await step.em.findOne(GitOpsConfig, { tenantId, id });
  if (!found) return;
  const newest = await newestOf(tools, step, found);
  // What it is like in this look; the row itself changes in the transaction at the end.
  const config = Object.assign(new GitOpsConfig(), found, { wantedSync: wishFor(found, newest) });
  if (newest.cause !== undefined)
    tools.logger.info({ configId: config.id, cause: newest.cause }, 'a repository could not be read');
  const comparison = await compared(tools, step, config, newest);
  const due = comparison ? dueChanges(config, newest, comparison) : [];
  const applied =
    comparison && due.length > 0
      ? await apply(tools.panel, step, config, newest, comparison, due, async () => isMine(step))
      : nothing;
  await step.write(async (write) => {
    const row = await locked(write, step);
    if (row?.lookingBy === step.jobId)
      await settle(write, step, { config, row, newest, comparison, applied });
  });
}

/** Takes the look, unless the tenant is suspended, another one is under way, or as many of the tenant, or at hosts like its own, as may be. */
async function begin({ isSuspended }: LookTools, step: LookStep, place: LookPlace): Promise<boolean> {
  return step.write(async (write) => {
    await advisoryLock(write.em, 'governance.gitops_look', step.payload.tenantId);
    const row = await locked(write, step);
    if (!row || row.isPaused) return false;
    if (isSuspended(row.tenantId)) {
      row.nextCheckAt = new Date(step.now.getTime() + suspendedMs);
      return false;
    }
    const isAnothers = row.lookingBy !== null && row.lookingBy !== step.jobId;
    if (isAnothers && row.lookingUntil !== null && row.lookingUntil > step.now) return false;
    if ((await isCrowded(write, step)) || !place.take(hostOf(row))) {
      row.nextCheckAt = new Date(step.now.getTime() + crowdedMs);
      return false;
    }
    row.lookingBy = step.jobId;
    row.lookingUntil = new Date(step.now.getTime() + claimMs);
    return true;
  });
}

function hostOf({ isHostSilent }: GitOpsConfig): Host {
  return isHostSilent === null ? 'unknown' : isHostSilent ? 'silent' : 'answering';
}

async function isCrowded({ em }: JobWrite, { payload, jobId, now }: LookStep): Promise<boolean> {
  const begunAfter = now.getTime() - longestLookMs;
  const [{ others }] = (await em.execute<{ others: number }[]>(
    `select count(*)::integer as others from governance.gitops_config
     where tenant_id = ? and looking_by <> ? and looking_until > ?`,
    [payload.tenantId, jobId, new Date(begunAfter + claimMs)],
  )) as [{ others: number }];
  return others >= mostOfTenant;
}

async function locked({ em }: JobWrite, { payload }: LookStep): Promise<GitOpsConfig | null> {
  const { tenantId, configId: id } = payload;
  return em.findOne(GitOpsConfig, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

async function isMine({ em, payload, jobId }: LookStep): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    'select 1 from governance.gitops_config where tenant_id = ? and id = ? and looking_by = ? and not is_paused',
    [payload.tenantId, payload.configId, jobId],
  );
  return rows.length > 0;
}

/** Undefined where there is nothing to compare with, or nobody to ask. */
async function compared(
  { panel }: LookTools,
  step: LookStep,
  config: GitOpsConfig,
  newest: Newest,
): Promise<Comparison | undefined> {
  if (newest.isHalted || newest.declaredCommit === null) return undefined;
  try {
    return await compare(panel, step, config, newest);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    newest.problems = [
      ...newest.problems,
      { message: `What there is can not be told just now: ${error.message}` },
    ];
    return undefined;
  }
}
