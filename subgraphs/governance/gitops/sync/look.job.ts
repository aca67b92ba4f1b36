import { LockMode } from '@mikro-orm/core';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import type { JobDefinition, JobWrite } from '#platform/jobs/job.js';
import type { Logger } from '#platform/logger.js';
import type { Keyring } from '#platform/secrets/keyring.js';

import type { Repositories } from '../git/repository.js';
import { GitOpsAction, GitOpsConfig, GitOpsHealth, GitOpsSyncStatus } from '../gitops-config.entity.js';
import { changed } from '../gitops.events.js';
import type { Problem } from '../manifest/resource.js';
import { apply, type Applied } from './apply.service.js';
import { compare, type Comparison } from './compare.service.js';
import { recordCommits } from './history.service.js';
import { lookKind, mostFailures, pauseMs, retryMs, type GitOpsPayload } from './kinds.js';
import type { LookStep } from './look.step.js';
import { newestOf, type Newest } from './newest.service.js';
import { keepOwnership } from './ownership.service.js';
import type { PanelCalls } from './panel-calls.js';

export interface LookTools {
  repositories: Repositories;
  panel: PanelCalls;
  keyring: Keyring;
  entitlements: Entitlements;
  logger: Logger;
}

const mostProblems = 50;
const mostChanges = 500;
const nothing: Applied = { done: [], left: [], problems: [], canaries: new Map() };

/**
 * Looks at a repository: what is new, what of it is not so, and puts that right where it may. All of it can be repeated:
 * what was done is seen in what there is.
 */
export function lookJob(tools: LookTools): JobDefinition<GitOpsPayload> {
  return {
    ...lookKind,
    async handle(step) {
      const { tenantId, configId: id } = step.payload;
      const config = await step.em.findOne(GitOpsConfig, { tenantId, id });
      if (!config || config.isPaused) return;
      const newest = await newestOf(tools, step, config);
      if (newest.cause !== undefined)
        tools.logger.info({ configId: id, cause: newest.cause }, 'a repository could not be read');
      // Before the first commit that can be read there is nothing to compare with.
      const comparison =
        newest.isHalted || newest.declaredCommit === null
          ? undefined
          : await compare(tools.panel, step, config, newest);
      const isToApply = comparison && mayApply(config, newest, comparison);
      const applied = isToApply ? await apply(tools.panel, step, config, newest, comparison) : nothing;
      await step.write(async (write) => {
        const row = await write.em.findOne(
          GitOpsConfig,
          { tenantId, id },
          { lockMode: LockMode.PESSIMISTIC_WRITE },
        );
        if (row) await settle(write, step, { config, row, newest, comparison, applied });
      });
    },
  };
}

/** Whether what is different is to be put right now. */
function mayApply(config: GitOpsConfig, newest: Newest, { changes }: Comparison): boolean {
  const { autoSync, selfHeal, wantedSync, lastSyncedCommit, declaredCommit } = config;
  if (changes.every(({ heldBack }) => heldBack !== null)) return false;
  if (wantedSync) return true;
  const isOther = newest.declaredCommit !== declaredCommit;
  if (!autoSync || (!isOther && config.failures >= mostFailures)) return false;
  return newest.declaredCommit !== lastSyncedCommit || selfHeal;
}

interface Look {
  /** As it was at the beginning. */
  config: GitOpsConfig;
  /** As it is, locked. */
  row: GitOpsConfig;
  newest: Newest;
  comparison: Comparison | undefined;
  applied: Applied;
}

/** Keeps what came of a look. */
async function settle({ em, publish }: JobWrite, { now }: LookStep, look: Look): Promise<void> {
  const { config, row, newest, comparison, applied } = look;
  const isTried = applied.done.length > 0 || applied.problems.length > 0;
  const left = isTried ? applied.left : (comparison?.changes ?? []);
  const problems: Problem[] = [...newest.problems, ...(comparison?.problems ?? []), ...applied.problems];
  const isRead = newest.problems.length === 0;
  const isInForce = isRead && comparison !== undefined && left.length === 0 && problems.length === 0;
  const failuresBefore = newest.declaredCommit === config.declaredCommit ? row.failures : 0;
  const failures = !isTried ? failuresBefore : applied.problems.length > 0 ? failuresBefore + 1 : 0;
  const isNewlyInForce =
    isInForce && (applied.done.length > 0 || row.lastSyncedCommit !== newest.declaredCommit);
  Object.assign(row, {
    lastSeenCommit: newest.tip,
    declared: newest.declared,
    declaredCommit: newest.declaredCommit,
    lastCheckedAt: now,
    syncStatus: isInForce
      ? GitOpsSyncStatus.SYNCED
      : isRead
        ? GitOpsSyncStatus.OUT_OF_SYNC
        : GitOpsSyncStatus.UNKNOWN,
    health: row.isPaused ? GitOpsHealth.SUSPENDED : healthOf(problems, look),
    changes: left.slice(0, mostChanges),
    problems: problems.slice(0, mostProblems),
    failures,
    // As long as something is left that nobody has confirmed to be gone for good.
    isRewritten: newest.isRewritten && (!isRead || left.some(({ action }) => action === GitOpsAction.DELETE)),
    wantedSync: row.requests === config.requests ? null : row.wantedSync,
    nextCheckAt: row.isPaused ? null : nextCheckAt(look, failures, now),
    ...(isNewlyInForce ? { lastSyncedCommit: newest.declaredCommit, lastSyncedAt: now } : {}),
  });
  if (comparison) await keepOwnership(em, { row, newest, applied, left, actual: comparison.actual, now });
  await recordCommits(em, { row, newest, applied, isTried, isInForce, problems, now });
  if (isAnother(config, row)) changed(publish, row);
}

function healthOf(problems: readonly Problem[], { comparison, applied }: Look): GitOpsHealth {
  if (problems.length > 0) return GitOpsHealth.DEGRADED;
  const isProgressing = comparison?.isProgressing === true || applied.canaries.size > 0;
  return isProgressing ? GitOpsHealth.PROGRESSING : GitOpsHealth.HEALTHY;
}

function nextCheckAt({ config, row, applied }: Look, failures: number, now: Date): Date {
  // Somebody asked for another look meanwhile.
  if (row.requests !== config.requests) return now;
  const isRetry = applied.problems.length > 0 && failures < mostFailures;
  return new Date(now.getTime() + (isRetry ? retryMs(failures) : pauseMs(row.syncIntervalSeconds)));
}

/** Whether a person who watches would see another thing. */
function isAnother(before: GitOpsConfig, after: GitOpsConfig): boolean {
  const shown = ({
    syncStatus,
    health,
    lastSeenCommit,
    lastSyncedCommit,
    lastSyncedAt,
    changes,
    problems,
  }: GitOpsConfig) =>
    JSON.stringify([syncStatus, health, lastSeenCommit, lastSyncedCommit, lastSyncedAt, changes, problems]);
  return shown(before) !== shown(after);
}
