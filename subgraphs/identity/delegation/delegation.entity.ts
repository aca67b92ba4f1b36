import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { UserRole } from '../user/user.entity.js';

@Entity({ tableName: 'delegation' })
@ObjectType({
  description:
    "Access to a client's tenant that its owner has granted to its provider, in one role and for a time.",
})
export class Delegation {
  @Field(() => ID, { name: 'clientId', description: 'The tenant that may be acted in.' })
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `dlg_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ID, {
    description: 'The tenant whose users may act: a managed service provider, not one of servers.',
  })
  @Property({ type: 'text' })
  providerId!: string;

  @Field(() => UserRole, {
    description: "The most that they may do: never what is for owners or for the tenant's own users.",
  })
  @Property({ type: 'text' })
  role!: UserRole;

  @Field(() => [ID], {
    nullable: true,
    description:
      'The users of the provider who alone may act; null for all whose role there lets them. Who leaves the provider is ' +
      'taken from it, so it may be empty: then nobody may.',
  })
  @Property({ type: 'text[]', nullable: true })
  userIds!: string[] | null;

  /** When others were named than before; tokens of who is named no more may be out for a while after that. */
  @Property({ type: 'datetime', nullable: true })
  usersChangedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'What it was granted for, in the words of the owner.' })
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Field(() => ID, { description: 'The owner who granted it.' })
  @Property({ type: 'text' })
  grantedBy!: string;

  @Field(() => DateTime, { description: 'When it was granted.' })
  @Property({ type: 'datetime' })
  grantedAt!: Date;

  @Field(() => DateTime, { description: 'When it ends by itself.' })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was ended before its time; null while it was not.',
  })
  @Property({ type: 'datetime', nullable: true })
  revokedAt!: Date | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'The owner who ended it before its time, or granted another in its place; null while it was not ended so, and where ' +
      'that was before this was kept.',
  })
  @Property({ type: 'text', nullable: true })
  revokedBy!: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When somebody last began to act under it; null when nobody has.',
  })
  @Property({ type: 'datetime', nullable: true })
  lastUsedAt!: Date | null;
}

@ObjectType({ description: 'One page of grants.' })
export class DelegationPage extends pageOf(Delegation, 'Delegation') {}
