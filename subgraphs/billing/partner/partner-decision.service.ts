import { LockMode } from '@mikro-orm/core';

import { ApiError, notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

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
      const percent = commissionPercent ?? partner.commissionPercent;
      audit({
        target: id,
        changes: { status, ...(commissionPercent === undefined ? {} : { commissionPercent }) },
      });
      if (isMade && percent === partner.commissionPercent) return partner;
      partner.commissionPercent = percent;
      const fromTier = partner.tierId;
      if (!isMade) {
        const now = operation.clock.now();
        mark(partner, status, now);
        await retier(em, partner, { reason, now });
      }
      publish(partnerChanged(partner, fromTier));
      return partner;
    }, tenantId);
  }
}

/** Payments have whole seconds: one of the second in which it was approved is after that. */
function mark(partner: Partner, status: PartnerStatus, now: Date): void {
  const second = new Date(Math.floor(now.getTime() / 1000) * 1000);
  partner.status = status;
  if (status === PartnerStatus.APPROVED) Object.assign(partner, { approvedAt: second, suspendedAt: null });
  if (status === PartnerStatus.SUSPENDED) partner.suspendedAt = second;
}
