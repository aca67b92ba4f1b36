import { z } from 'zod';

import { invalid } from '../errors.js';
import {
  changedMetadata,
  expand,
  flag,
  isWithin,
  metadata,
  range,
  text,
  unsettableText,
} from '../http/form.js';
import { listing, retrieval } from '../http/list.js';
import { inPath, operation } from '../http/operation.js';
import { newId } from '../store/ids.js';
import type { Charge, Dispute } from '../store/stored.js';
import type { World } from '../world.js';
import { noEvidence } from './evidence.js';

const path = '/v1/disputes';
const answerDays = 7;

/** What Stripe's test mode takes as evidence that decides. */
const outcomes: Readonly<Record<string, 'won' | 'lost'>> = {
  winning_evidence: 'won',
  losing_evidence: 'lost',
};

export const disputeOperations = [
  retrieval('dispute', path),
  listing(
    'dispute',
    path,
    { charge: text.optional(), created: range.optional(), payment_intent: text.optional() },
    (one, { charge, created, payment_intent: intent }) =>
      isWithin(one.created, created) &&
      (charge === undefined || one.charge === charge) &&
      (intent === undefined || one.payment_intent === intent),
  ),
  operation(
    'POST',
    `${path}/:id`,
    z.strictObject({
      evidence: z.strictObject({ uncategorized_text: unsettableText.optional() }).optional(),
      expand,
      metadata: metadata.optional(),
      submit: flag.optional(),
    }),
    (world, { evidence, metadata: change, submit = true }, params) => {
      const before = openDispute(world, params);
      const words = evidence?.uncategorized_text;
      const isGiven = submit && typeof words === 'string';
      const after = world.store.change('dispute', before.id, {
        metadata: changedMetadata(before.metadata, change),
        ...(words === undefined ? {} : { evidence: { ...before.evidence, uncategorized_text: words } }),
        evidence_details: {
          ...before.evidence_details,
          has_evidence: words === undefined ? before.evidence_details.has_evidence : words !== null,
          submission_count: before.evidence_details.submission_count + (isGiven ? 1 : 0),
        },
        ...(isGiven ? { status: isInquiry(before) ? 'warning_under_review' : 'under_review' } : {}),
      });
      world.emit('charge.dispute.updated', after, before);
      const outcome = isGiven ? outcomes[words] : undefined;
      return outcome === undefined ? after : end(world, after, outcome);
    },
  ),
  operation('POST', `${path}/:id/close`, z.strictObject({ expand }), (world, _, params) =>
    end(world, openDispute(world, params), 'lost'),
  ),
];

/** A customer's bank takes the money of a charge back. An inquiry asks only, and no money is moved. */
export function disputeCharge(world: World, before: Charge, kind: 'chargeback' | 'inquiry'): Charge {
  const now = world.nowFor(before.customer === null ? null : String(before.customer));
  const isAsked = kind === 'inquiry';
  const brand = before.payment_method_details?.card?.brand ?? 'visa';
  const dispute = world.store.put('dispute', {
    id: newId('dispute'),
    object: 'dispute',
    amount: before.amount,
    balance_transactions: [],
    charge: before.id,
    created: now,
    currency: before.currency,
    enhanced_eligibility_types: [],
    evidence: noEvidence,
    evidence_details: {
      due_by: now + answerDays * 24 * 60 * 60,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: isAsked,
    livemode: false,
    metadata: {},
    payment_intent: before.payment_intent,
    payment_method_details: {
      card: { brand, case_type: kind, network: brand, network_reason_code: '10.4' },
      type: 'card',
    },
    reason: 'fraudulent',
    status: isAsked ? 'warning_needs_response' : 'needs_response',
  });
  const charge = world.store.change('charge', before.id, { disputed: true });
  world.emit('charge.updated', charge, before);
  world.emit('charge.dispute.created', dispute);
  if (!isAsked) world.emit('charge.dispute.funds_withdrawn', dispute);
  return charge;
}

function openDispute(world: World, params: Record<string, string>): Dispute {
  const dispute = inPath(world, 'dispute', params);
  if (['won', 'lost', 'warning_closed'].includes(dispute.status))
    throw invalid('This dispute is already closed');
  return dispute;
}

function end(world: World, before: Dispute, outcome: 'won' | 'lost'): Dispute {
  const after = world.store.change('dispute', before.id, {
    status: isInquiry(before) ? 'warning_closed' : outcome,
    is_charge_refundable: false,
  });
  if (after.status === 'won') world.emit('charge.dispute.funds_reinstated', after);
  world.emit('charge.dispute.closed', after, before);
  return after;
}

const isInquiry = ({ status }: Dispute): boolean => status.startsWith('warning_');
