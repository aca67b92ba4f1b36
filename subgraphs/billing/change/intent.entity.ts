import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

import type { Plan } from '#platform/entitlement/plans.js';

import type { BillingCycle } from '../package/packages.js';
import type { GivenDiscount } from '../stripe/partner-discount.js';

export type IntentKind = 'SUBSCRIBE' | 'UPGRADE' | 'DOWNGRADE' | 'CANCEL' | 'RESUME';
export type IntentStatus = 'PENDING' | 'DONE' | 'REFUSED' | 'ABANDONED';

/** Everything that the calls to Stripe say, so that they say the same when they are made again. */
export interface IntentParams {
  customerId: string;
  subscriptionId: string | null;
  itemId: string | null;
  priceId: string | null;
  scheduleId: string | null;
  paymentMethodId: string | null;
  /** Of a new subscription, or of the phases of one that becomes smaller; absent for none. */
  discounts?: readonly GivenDiscount[];
  /** Stripe has paused it: it has no period that is paid, and goes on as soon as one is. */
  isPaused?: boolean;
  /** A contract ends it on a day behind the period that is paid. */
  keepsDay?: boolean;
  plan: Plan;
  cycle: BillingCycle;
}

/** A change that Stripe is asked for: written before, and finished by whoever comes first. */
@Entity({ tableName: 'intent' })
export class Intent {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  id!: string;

  @Property({ type: 'text' })
  kind!: IntentKind;

  @Property({ type: 'json' })
  params!: IntentParams;

  /** Who asked for what, for the audit trail when another process finishes it. */
  @Property({ type: 'json' })
  mutation!: { name: string; actor: string; actorKind: string; clientAddress: string };

  @Property({ type: 'text', nullable: true })
  idempotencyKey!: string | null;

  @Property({ type: 'text' })
  fingerprint!: string;

  @Property({ type: 'text' })
  status!: IntentStatus;

  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  finishedAt!: Date | null;
}
