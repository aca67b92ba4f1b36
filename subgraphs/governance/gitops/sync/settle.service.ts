import type { JobWrite } from '#platform/jobs/job.js';

import { GitOpsAction, type GitOpsChange } from '../gitops-change.types.js';
import { GitOpsHealth, GitOpsSyncStatus, type GitOpsConfig, type Refusal } from '../gitops-config.entity.js';
import { changed } from '../gitops.events.js';
import type { Problem } from '../manifest/resource.js';
import type { Applied } from './apply.service.js';
import type { Comparison } from './compare.service.js';
import { recordCommits } from './history.service.js';
import { lookKind, mostFailures, pauseMs, retryMs } from './kinds.js';
import type { LookStep } from './look.step.js';
import type { Newest } from './newest.service.js';
import { keepOwnership } from './ownership.service.js';
import { keyOfChange } from './refusals.js';
import { isWishedAgain, wishLeft } from './wish.js';

const mostProblems = 50;
const mostChanges = 500;

/** What came of a look. */
export interface Look {
  /** As it was at the beginning, with what is wanted for what is declared now. */
  config: GitOpsConfig;
  /** As it is, locked. */
  row: GitOpsConfig;
  newest: Newest;
  comparison: Comparison | undefined;
  applied: Applied;
}

/** Keeps what came of a look, and has another one made where somebody asked for it meanwhile. */
export async function settle(write: JobWrite, { now }: LookStep, look: Look): Promise<void> {
  const { config, row } = look;
  const isAskedAgain = row.requests !== config.requests;
  Object.assign(row, { lookingBy: null, lookingUntil: null });
  // What was read is of another place: nothing of it counts.
  const isElsewhere =
    row.repoUrl !== config.repoUrl || row.branch !== config.branch || row.path !== config.path;
  if (!isElsewhere) await keep(write, look, now);
  if (row.isPaused) row.nextCheckAt = null;
  else if (isAskedAgain) {
    row.nextCheckAt = now;
    write.enqueue(lookKind, { tenantId: row.tenantId, configId: row.id });
  }
}

async function keep({ em, publish }: JobWrite, look: Look, now: Date): Promise<void> {
  const { config, row, newest, comparison, applied } = look;
  const healthBefore = row.health;
  const isTried = applied.done.length > 0 || applied.problems.length > 0;
  const left = isTried ? applied.left : (comparison?.changes ?? []);
  const problems: Problem[] = [...newest.problems, ...(comparison?.problems ?? []), ...applied.problems];
  const isRead = newest.problems.length === 0;
  const isApplied = isRead && comparison !== undefined && left.every(({ heldBack }) => heldBack !== null);
  const isInForce = isApplied && left.length === 0 && problems.length === 0;
  const isNewlyInForce =
    isInForce && (applied.done.length > 0 || row.lastSyncedCommit !== newest.declaredCommit);
  const refusals = comparison ? refusalsLeft(row, applied, left) : row.refusals;
  const retryAfter = Object.values(applied.refusals)
    .filter(({ times }) => times < mostFailures)
    .map(({ times, tries = times }) => retryMs(Math.max(tries, 1)));
  const isRetried = retryAfter.length > 0 && (row.autoSync || isWishedAgain(config));
  const pause = isRetried ? Math.min(...retryAfter) : pauseMs(row.syncIntervalSeconds);
  Object.assign(row, {
    lastSeenCommit: newest.tip,
    declared: newest.declared,
    declaredCommit: newest.declaredCommit,
    lastCheckedAt: now,
    isHostSilent: newest.isHostSilent,
    syncStatus: isInForce
      ? GitOpsSyncStatus.SYNCED
      : isRead
        ? GitOpsSyncStatus.OUT_OF_SYNC
        : GitOpsSyncStatus.UNKNOWN,
    health: row.isPaused ? GitOpsHealth.SUSPENDED : healthOf(problems, look),
    changes: left.slice(0, mostChanges),
    problems: [...problems, ...(comparison?.waiting ?? [])].slice(0, mostProblems),
    refusals,
    // As long as something is left that nobody has confirmed to be gone for good.
    isRewritten: newest.isRewritten && (!isRead || left.some(({ action }) => action === GitOpsAction.DELETE)),
    wantedSync: wishLeft(config, row, newest, isRetried),
    nextCheckAt: new Date(now.getTime() + pause),
    ...(isApplied ? { appliedCommit: newest.declaredCommit } : {}),
    ...(isNewlyInForce ? { lastSyncedCommit: newest.declaredCommit, lastSyncedAt: now } : {}),
  });
  if (comparison) await keepOwnership(em, { row, newest, applied, left, actual: comparison.actual, now });
  await recordCommits(em, { row, newest, applied, isTried, isInForce, problems, now });
  if (isAnother(config, row)) changed(publish, row, healthBefore);
}

/** Those of changes that are still to be made; what is tried no more is forgotten with its change. */
function refusalsLeft(
  { refusals }: GitOpsConfig,
  applied: Applied,
  left: readonly GitOpsChange[],
): Record<string, Refusal> {
  const keys = new Set(left.map(keyOfChange));
  const all = { ...refusals, ...applied.refusals };
  return Object.fromEntries(Object.entries(all).filter(([key]) => keys.has(key)));
}

function healthOf(problems: readonly Problem[], { comparison, applied }: Look): GitOpsHealth {
  if (problems.length > 0) return GitOpsHealth.DEGRADED;
  const isProgressing = comparison?.isProgressing === true || applied.canaries.size > 0;
  return isProgressing ? GitOpsHealth.PROGRESSING : GitOpsHealth.HEALTHY;
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
