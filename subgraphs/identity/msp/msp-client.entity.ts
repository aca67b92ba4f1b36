import { BigIntType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { Plan } from '#platform/entitlement/plans.js';
import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { TenantSuspender } from '../tenant/listed-tenant.js';
import { MspClientHealth } from './client-health.js';

export enum MspClientStatus {
  ACTIVE = 'ACTIVE',
  SUSPENDED = 'SUSPENDED',
}

registerEnumType(MspClientStatus, {
  name: 'MspClientStatus',
  description: 'Whether anyone may act in the tenant of a client.',
  valuesConfig: {
    ACTIVE: { description: 'Its users, nodes and API keys work.' },
    SUSPENDED: { description: 'All of them are refused; `eraseAt` says whether it will be erased.' },
  },
});

/** A provider's record of a client: what it was given. The client itself is a tenant of its own. */
@Entity({ tableName: 'msp_client' })
@ObjectType({
  description:
    'An organization that the tenant manages as a provider. It is a tenant of its own, wholly apart.',
})
export class MspClient {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'The id of the tenant that the client is; starts with `org_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'The name of the organization.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'Whom the provider turns to; the first one was invited as its owner.' })
  @Property({ type: 'text' })
  contactEmail!: string;

  @Field(() => Int, { description: "How many instances it may have. Taken out of the provider's own limit." })
  @Property({ type: 'integer' })
  instanceLimit!: number;

  @Field(() => Plan, {
    description: 'The plan in force for it; of ENTERPRISE it gets everything but clients of its own.',
  })
  @Property({ type: 'text' })
  plan!: Plan;

  /** Grows with each change, so that a stale event about it is known as one. */
  @Property({ type: new BigIntType('number') })
  version!: number;

  @Field(() => Int, { description: 'How many instances it has, within seconds.' })
  @Property({ type: 'integer' })
  instancesUsed!: number;

  @Property({ type: 'integer' })
  healthy = 0;

  @Property({ type: 'integer' })
  degraded = 0;

  @Property({ type: 'integer' })
  offline = 0;

  @Property({ type: 'integer' })
  criticalAlerts = 0;

  @Property({ type: 'integer' })
  warningAlerts = 0;

  @Property({ type: 'integer' })
  infoAlerts = 0;

  @Property({ type: 'integer', nullable: true })
  overallScore: number | null = null;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'datetime', nullable: true, fieldName: 'suspended_at' })
  providerSuspendedAt!: Date | null;

  /** By the platform's administrators, whatever the provider decides. */
  @Property({ type: 'datetime', nullable: true })
  panelSuspendedAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When it will be erased: 30 days after it was deleted, and until then it can be restored. Null otherwise.',
  })
  @Property({ type: 'datetime', nullable: true })
  eraseAt!: Date | null;

  @Field(() => MspClientHealth, { description: 'How it fares, in figures.' })
  get health(): MspClientHealth {
    const { healthy, degraded, offline, criticalAlerts, warningAlerts, infoAlerts, overallScore } = this;
    return {
      healthy,
      degraded,
      offline,
      criticalAlerts,
      warningAlerts,
      infoAlerts,
      overallScore,
      needsAttention: offline > 0 || criticalAlerts > 0,
    };
  }

  @Field(() => MspClientStatus, { description: 'Whether anyone may act in it.' })
  get status(): MspClientStatus {
    return this.suspendedAt ? MspClientStatus.SUSPENDED : MspClientStatus.ACTIVE;
  }

  @Field(() => DateTime, {
    nullable: true,
    description: 'Since when it is suspended; null while it is active.',
  })
  get suspendedAt(): Date | null {
    const [first] = [this.providerSuspendedAt, this.panelSuspendedAt]
      .filter((at) => at !== null)
      .toSorted((a, b) => a.getTime() - b.getTime());
    return first ?? null;
  }

  @Field(() => [TenantSuspender], {
    description:
      'Who has suspended it; empty while nobody has. Only the panel itself ends a suspension by PANEL.',
  })
  get suspendedBy(): TenantSuspender[] {
    return [
      ...(this.panelSuspendedAt ? [TenantSuspender.PANEL] : []),
      ...(this.providerSuspendedAt ? [TenantSuspender.PROVIDER] : []),
    ];
  }
}

@ObjectType({ description: 'One page of clients.' })
export class MspClientPage extends pageOf(MspClient, 'MspClient') {}
