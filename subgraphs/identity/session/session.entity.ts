import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

/** One sign-in. Access tokens name it, and refresh tokens belong to it. */
@Entity({ tableName: 'session' })
@ObjectType({ description: 'One sign-in of a user: a browser, a program.' })
export class Session {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `ses_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Property({ type: 'text' })
  userId!: string;

  @Field(() => String, { description: 'The address that the user signed in from.' })
  @Property({ type: 'text' })
  clientAddress!: string;

  /** The network of that address, as attempts are counted; null for those from before it was kept. */
  @Property({ type: 'text', nullable: true })
  network!: string | null;

  @Field(() => String, { nullable: true, description: 'The User-Agent header of the sign-in.' })
  @Property({ type: 'text', nullable: true })
  userAgent!: string | null;

  @Field(() => DateTime, { description: 'When the user signed in.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When its tokens were last refreshed.' })
  @Property({ type: 'datetime' })
  lastUsedAt!: Date;

  /** The end that no refresh moves. */
  @Field(() => DateTime, { description: 'When it ends for good, however often it is refreshed.' })
  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was ended before its time; null while it lives.',
  })
  @Property({ type: 'datetime', nullable: true })
  revokedAt!: Date | null;
}

export const SessionPage = pageOf(Session, 'Session');

/** One link of a session's chain of refresh tokens; only its SHA-256 is kept. */
@Entity({ tableName: 'refresh_token' })
export class RefreshToken {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  tokenHash!: string;

  @Property({ type: 'text' })
  sessionId!: string;

  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Property({ type: 'datetime' })
  expiresAt!: Date;

  @Property({ type: 'datetime', nullable: true })
  usedAt!: Date | null;
}
