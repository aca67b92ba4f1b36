import { LockMode } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import type { CanaryProgressed } from '#schema/events.js';

import type { Canary } from './canary.entity.js';
import { Canary as CanaryEntity } from './canary.entity.js';
import {
  canaryMoves,
  CanaryMemberStatus,
  CanaryStatus,
  openStatuses,
  type CanaryMove,
  type MemberCounts,
} from './canary.status.js';

/** One transaction in which a canary changes. */
export interface CanaryWrite {
  em: SqlEntityManager;
  publish: (event: OutboxEvent) => void;
}

export async function lockCanary(em: SqlEntityManager, tenantId: string, id: string): Promise<Canary | null> {
  return em.findOne(CanaryEntity, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

/** Where a move leads; undefined when it is not to be made. */
export function targetOf({ status, pausedFrom }: Canary, move: CanaryMove): CanaryStatus | undefined {
  const to = canaryMoves[status][move];
  return to === 'where it was' ? (pausedFrom ?? CanaryStatus.RUNNING) : to;
}

/** Moves a locked canary on. A move that is not in the table is a fault of ours: whoever is told no was asked before. */
export async function move(
  { em, publish }: CanaryWrite,
  canary: Canary,
  by: CanaryMove,
  now: Date,
  more: Partial<Pick<Canary, 'reason' | 'message' | 'currentStep' | 'bakeUntil' | 'failedAnalyses'>> = {},
): Promise<void> {
  const from = canary.status;
  const to = targetOf(canary, by);
  if (!to) throw new Error(`a canary that is ${from} does not go by ${by}`);
  const isEnd = !openStatuses.includes(to);
  Object.assign(canary, {
    status: to,
    pausedFrom: to === CanaryStatus.PAUSED ? from : null,
    reason: null,
    message: null,
    bakeUntil: bakeUntilAfter(canary, to, now),
    phaseAt: now,
    dueAt: isEnd ? null : now,
    finishedAt: isEnd ? now : null,
    ...more,
  });
  if (isEnd) {
    await em.execute(
      'update governance.canary_member set is_open = false where tenant_id = ? and canary_id = ?',
      [canary.tenantId, canary.id],
    );
  }
  changed(publish, canary, now, from);
}

/** While it is paused the bake does not go on: what was left of it is left when it is resumed. */
function bakeUntilAfter({ bakeUntil, status, phaseAt }: Canary, to: CanaryStatus, now: Date): Date | null {
  if (to === CanaryStatus.PAUSED) return bakeUntil;
  if (status !== CanaryStatus.PAUSED || to !== CanaryStatus.BAKING || bakeUntil === null) return null;
  return new Date(now.getTime() + Math.max(0, bakeUntil.getTime() - phaseAt.getTime()));
}

/** Tells of a change of a locked canary. */
export function changed(
  publish: (event: OutboxEvent) => void,
  canary: Canary,
  now: Date,
  from: CanaryStatus = canary.status,
): void {
  canary.revision += 1;
  canary.updatedAt = now;
  publish({
    topic: 'governance.canary.progressed',
    tenantId: canary.tenantId,
    entityId: canary.id,
    payload: {
      canaryId: canary.id,
      from,
      to: canary.status,
      step: canary.currentStep,
      reason: canary.reason,
      message: canary.message,
      name: canary.name,
    } satisfies CanaryProgressed,
  });
}

/** Counts a locked canary's members anew, after some of them have changed. */
export async function recount(em: SqlEntityManager, canary: Canary): Promise<boolean> {
  const rows = await em.execute<{ status: CanaryMemberStatus; count: number; failed: number }[]>(
    `select status, count(*)::integer as count from governance.canary_member
     where tenant_id = ? and canary_id = ? group by status`,
    [canary.tenantId, canary.id],
  );
  const counts: MemberCounts & { everFailed?: number } = Object.fromEntries(
    rows.map(({ status, count }) => [status, count]),
  );
  counts.everFailed = Math.max(canary.counts.everFailed ?? 0, counts.FAILED ?? 0);
  const isNew = Object.values(CanaryMemberStatus).some(
    (status) => (counts[status] ?? 0) !== (canary.counts[status] ?? 0),
  );
  if (isNew) canary.counts = counts;
  return isNew;
}
