import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { UserRole } from '../user/user.entity.js';

@Entity({ tableName: 'invitation' })
@ObjectType({ description: 'An invitation to join the tenant, mailed as a link that works once.' })
export class Invitation {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `inv_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'Where the link was mailed to, and the sign-in name of the account.' })
  @Property({ type: 'text' })
  email!: string;

  @Field(() => UserRole, { description: 'What the user will be allowed to do.' })
  @Property({ type: 'text' })
  role!: UserRole;

  @Property({ type: 'text' })
  tokenHash!: string;

  @Field(() => ID, {
    description: 'The user who sent it last; for the first owner of an MSP client, that of its provider.',
  })
  @Property({ type: 'text' })
  invitedBy!: string;

  @Field(() => DateTime, { description: 'When the address was first invited.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When the link stops working: 7 days after it was last sent.' })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was accepted; null while it was not.' })
  @Property({ type: 'datetime', nullable: true })
  acceptedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was taken back; null while it was not.' })
  @Property({ type: 'datetime', nullable: true })
  revokedAt!: Date | null;
}

@ObjectType({ description: 'One page of invitations.' })
export class InvitationPage extends pageOf(Invitation, 'Invitation') {}
