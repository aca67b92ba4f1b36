import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

export enum EnrollmentTokenEnd {
  REVOKED = 'REVOKED',
  MEMBER_REMOVED = 'MEMBER_REMOVED',
  ROLE_CHANGED = 'ROLE_CHANGED',
  API_KEY_REVOKED = 'API_KEY_REVOKED',
  GRANT_ENDED = 'GRANT_ENDED',
  INSTANCE_REMOVED = 'INSTANCE_REMOVED',
  ADDRESS_PROVED = 'ADDRESS_PROVED',
}

registerEnumType(EnrollmentTokenEnd, {
  name: 'EnrollmentTokenEnd',
  description: 'Why an enrollment token was ended before its time.',
  valuesConfig: {
    REVOKED: { description: 'Someone revoked it, or it was of a server that got another.' },
    MEMBER_REMOVED: { description: 'The user who made it was removed.' },
    ROLE_CHANGED: { description: 'The user who made it got a role that may make none.' },
    API_KEY_REVOKED: { description: 'The API key that made it was revoked, or ended with its own maker.' },
    GRANT_ENDED: { description: "The grant ended under which a provider's user made it." },
    INSTANCE_REMOVED: { description: 'The instance left the fleet that a node was to become again by it.' },
    ADDRESS_PROVED: {
      description:
        'It was made before the owner of an address, which nobody had proved until then, had the account and its organization.',
    },
  },
});

@Entity({ tableName: 'enrollment_token' })
@ObjectType({ description: 'A secret that lets nodes join the tenant. Only its SHA-256 is kept.' })
export class EnrollmentToken {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `etk_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'What the token is for.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'How the token starts, to tell tokens apart.' })
  @Property({ type: 'text' })
  prefix!: string;

  @Property({ type: 'text' })
  tokenHash!: string;

  @Field(() => [String], { description: 'Tags that instances get when they enroll with it.' })
  @Property({ type: 'array' })
  tags!: string[];

  @Field(() => Int, {
    nullable: true,
    description: 'How many instances may enroll with it; null for any number.',
  })
  @Property({ type: 'integer', nullable: true })
  maxUses!: number | null;

  @Field(() => Int, { description: 'How many have.' })
  @Property({ type: 'integer' })
  uses!: number;

  @Field(() => ID, {
    nullable: true,
    description: 'The instance that a node becomes again by it; null when it makes new instances.',
  })
  @Property({ type: 'text', nullable: true })
  instanceId!: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'The server that is being provisioned and whose node comes in by it. Until then, or until the token ends, it keeps a ' +
      "place under the plan's limit. Null for all others.",
  })
  @Property({ type: 'text', nullable: true })
  serverId!: string | null;

  /** The only host name that a node may come in with; null for any. */
  @Property({ type: 'text', nullable: true })
  boundHostname!: string | null;

  @Field(() => ID, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  /** Of a provider's user: the grant under which they made it. */
  @Property({ type: 'text', nullable: true })
  grantId!: string | null;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When it stops working.' })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was revoked, or ended with its maker; null while it was not.',
  })
  @Property({ type: 'datetime', nullable: true })
  revokedAt!: Date | null;

  @Field(() => EnrollmentTokenEnd, {
    nullable: true,
    description: 'Why it was revoked; null while it was not, and where that was not kept.',
  })
  @Property({ type: 'text', nullable: true })
  revokedReason!: EnrollmentTokenEnd | null;

  @Field(() => DateTime, { nullable: true, description: 'When an instance last enrolled with it.' })
  @Property({ type: 'datetime', nullable: true })
  lastUsedAt!: Date | null;
}

@ObjectType({ description: 'One page of enrollment tokens.' })
export class EnrollmentTokenPage extends pageOf(EnrollmentToken, 'EnrollmentToken') {}
