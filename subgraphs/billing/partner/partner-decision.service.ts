import { LockMode } from '@mikro-orm/core';

import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { beginPeriod, endPeriod } from './partner-period.service.js';
import { Partner, PartnerStatus } from './partner.entity.js';
import { approvePartnerRules, type ApprovePartnerInput } from './partner.inputs.js';
import { tenantOf } from './partner.service.js';
import { lockPartner, partnerChanged, retier } from './retier.service.js';
import { TierChangeReason } from './tier-change.entity.js';

/** How to read this table: a partner in the state on the left may come to any state on its right. */
const moves: Readonly<Record<PartnerStatus, readonly PartnerStatus[]>> = {
  PENDING: [PartnerStatus.APPROVED, PartnerStatus.REJECTED],
  APPROVED: [PartnerStatus.SUSPENDED],
  SUSPENDED: [PartnerStatus.APPROVED],
  REJECTED: [],
};

interface Decision {
  status: PartnerStatus;
  reason: TierChangeReason;
  commissionPercent?: number;
}

/** What the platform's administrators decide about partners. A decision that is made already changes nothing. */
export class PartnerDecisions {
  async approve(operation: Operation, input: ApprovePartnerInput): Promise<Partner> {
    operation.requireUser();
    const { id, commissionPercent } = validate(approvePartnerRules, input);
    return this.decide(operation, id, {
      status: PartnerStatus.APPROVED,
      reason: TierChangeReason.APPROVED,
      ...(commissionPercent == null ? {} : { commissionPercent }),
    });
  }

  async reject(operation: Operation, id: string): Promise<Partner> {
    operation.requireUser();
    // One that is rejected had no tier.
    return this.decide(operation, id, { status: PartnerStatus.REJECTED, reason: TierChangeReason.SUSPENDED });
  }

  async suspend(operation: Operation, id: string): Promise<Partner> {
    operation.requireUser();
    return this.decide(operation, id, {
      status: PartnerStatus.SUSPENDED,
      reason: TierChangeReason.SUSPENDED,
    });
  }

  private async decide(
    operation: Operation,
    id: string,
    { status, reason, commissionPercent }: Decision,
  ): Promise<Partner> {
    const tenantId = await tenantOf(operation, id);
    return operation.write(async ({ em, audit, publish }) => {
      await lockPartner(em, tenantId);
      const partner = await em.findOne(Partner, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!partner) throw notFound('Partner');
      const isMade = partner.status === status;
      if (!isMade && !moves[partner.status].includes(status)) {
        throw new ApiError(
          'CONFLICT',
          `A partner that is ${partner.status.toLowerCase()} can not be ${status.toLowerCase()}`,
          {
            reason: 'PARTNER_STATUS',
            details: { status: partner.status },
          },
        );
      }
      const { commissionPercent: commission, tierId: fromTier, status: fromStatus } = partner;
      const before = { commissionPercent: commission, tierId: fromTier };
      partner.commissionPercent = commissionPercent ?? before.commissionPercent;
      const isSame = isMade && partner.commissionPercent === before.commissionPercent;
      const now = operation.clock.now();
      if (!isMade) {
        mark(partner, status, now);
        await retier(em, partner, { reason, now });
      }
      audit({ target: id, changes: changesOf(before, partner) });
      if (isSame) return partner;
      if (status === PartnerStatus.APPROVED) await beginPeriod(em, partner, secondOf(now));
      if (status === PartnerStatus.SUSPENDED) await endPeriod(em, partner, secondOf(now));
      publish(partnerChanged(partner, { fromStatus, fromTier }));
      return partner;
    }, tenantId);
  }
}

/** What it was before, and is now. */
function changesOf(
  before: Pick<Partner, 'commissionPercent' | 'tierId'>,
  { status, commissionPercent, tierId }: Partner,
): Record<string, unknown> {
  return {
    status,
    commissionPercent: { from: before.commissionPercent, to: commissionPercent },
    tier: { from: before.tierId, to: tierId },
  };
}

/** Payments have whole seconds: one of the second in which it was approved is after that. */
const secondOf = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000);

function mark(partner: Partner, status: PartnerStatus, now: Date): void {
  const second = secondOf(now);
  partner.status = status;
  if (status === PartnerStatus.APPROVED) Object.assign(partner, { approvedAt: second, suspendedAt: null });
  if (status === PartnerStatus.SUSPENDED) partner.suspendedAt = second;
}
