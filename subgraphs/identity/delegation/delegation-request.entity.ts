import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { UserRole } from '../user/user.entity.js';

export enum DelegationRequestStatus {
  PENDING = 'PENDING',
  APPROVED = 'APPROVED',
  DECLINED = 'DECLINED',
  WITHDRAWN = 'WITHDRAWN',
  EXPIRED = 'EXPIRED',
}

registerEnumType(DelegationRequestStatus, {
  name: 'DelegationRequestStatus',
  description: 'What became of a request for access.',
  valuesConfig: {
    PENDING: { description: 'An owner of the client may approve or decline it.' },
    APPROVED: { description: 'An owner of the client has granted it, or a part of it.' },
    DECLINED: { description: 'An owner of the client has declined it.' },
    WITHDRAWN: { description: 'The provider has taken it back.' },
    EXPIRED: { description: 'Nobody has answered it within seven days.' },
  },
});

@Entity({ tableName: 'delegation_request' })
@ObjectType({
  description: 'That a provider asks a client for access to its tenant, in one role and for a time.',
})
export class DelegationRequest {
  @Field(() => ID, { name: 'clientId', description: 'The tenant that is to be acted in.' })
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `dlr_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ID, { description: 'The tenant whose users are to act: a managed service provider.' })
  @Property({ type: 'text' })
  providerId!: string;

  @Field(() => UserRole, { description: 'The most that they ask to do.' })
  @Property({ type: 'text' })
  role!: UserRole;

  @Field(() => Int, { description: 'For how many hours, from the approval on.' })
  @Property({ type: 'integer' })
  expiresInHours!: number;

  @Field(() => [ID], {
    nullable: true,
    description: 'The users of the provider who alone are to act; null for all whose role there lets them.',
  })
  @Property({ type: 'text[]', nullable: true })
  userIds!: string[] | null;

  @Field(() => String, { description: 'What it is for, in the words of the provider.' })
  @Property({ type: 'text' })
  reason!: string;

  @Field(() => ID, { description: 'The user of the provider who asked.' })
  @Property({ type: 'text' })
  requestedBy!: string;

  @Field(() => DateTime, { description: 'When they asked.' })
  @Property({ type: 'datetime' })
  requestedAt!: Date;

  @Field(() => DateTime, { description: 'Until when it can be answered: for seven days.' })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  /** Null while it is open, and of one that has expired. */
  @Property({ type: 'text', nullable: true })
  decision!: Exclude<DelegationRequestStatus, 'PENDING' | 'EXPIRED'> | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was answered or withdrawn.' })
  @Property({ type: 'datetime', nullable: true })
  decidedAt!: Date | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'The user who answered it or withdrew it; null where it ended with the access of whoever had asked.',
  })
  @Property({ type: 'text', nullable: true })
  decidedBy!: string | null;

  @Field(() => ID, { nullable: true, description: 'The grant that came of it; null unless it was approved.' })
  @Property({ type: 'text', nullable: true })
  delegationId!: string | null;
}

export function statusOf(
  { decision, expiresAt }: Pick<DelegationRequest, 'decision' | 'expiresAt'>,
  now: Date,
): DelegationRequestStatus {
  if (decision) return decision;
  return expiresAt > now ? DelegationRequestStatus.PENDING : DelegationRequestStatus.EXPIRED;
}

@ObjectType({ description: 'One page of requests for access.' })
export class DelegationRequestPage extends pageOf(DelegationRequest, 'DelegationRequest') {}
