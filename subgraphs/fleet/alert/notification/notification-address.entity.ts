import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

/** Kept for the tenant, not for one channel: who confirmed it once is not asked again. */
@Entity({ tableName: 'notification_address' })
@ObjectType({ description: 'An address that alerts are mailed to, once whoever reads it has confirmed it.' })
export class NotificationAddress {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => String, { description: 'The address, in lower case.' })
  @PrimaryKey({ type: 'text' })
  email!: string;

  /** Of the newest link; null once it is used. */
  @Property({ type: 'text', nullable: true })
  tokenHash!: string | null;

  @Property({ type: 'datetime', nullable: true })
  tokenExpiresAt!: Date | null;

  /** How many links it was mailed. */
  @Property({ type: 'integer' })
  mails!: number;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was last mailed a link to confirm it by; null when it has yet to be.',
  })
  @Property({ type: 'datetime' })
  mailedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was confirmed; null while it is not.' })
  @Property({ type: 'datetime', nullable: true })
  confirmedAt!: Date | null;
}
