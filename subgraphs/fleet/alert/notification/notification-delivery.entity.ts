import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { DeliveryStatus, NotificationType } from './notification.kinds.js';

/** One attempt as the row keeps it. */
export interface StoredAttempt {
  at: string;
  statusCode: number | null;
  error: string | null;
  durationMs: number;
}

@ObjectType({ description: 'One attempt to bring a notification to its channel.' })
export class DeliveryAttempt {
  @Field(() => DateTime, { description: 'When it was made.' })
  at!: Date;

  @Field(() => Int, { nullable: true, description: 'The HTTP status that a webhook was answered with.' })
  statusCode!: number | null;

  @Field(() => String, { nullable: true, description: 'What went wrong; null when nothing did.' })
  error!: string | null;

  @Field(() => Int, { description: 'How long it took, in milliseconds.' })
  durationMs!: number;
}

@Entity({ tableName: 'notification_delivery' })
@ObjectType({ description: 'One notification on its way to one channel. Kept for 30 days.' })
export class NotificationDelivery {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `dlv_`; the `webhook-id` of each attempt.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ID, { description: 'The channel; it may have been deleted since.' })
  @Property({ type: 'text' })
  channelId!: string;

  @Field(() => NotificationType, { description: 'What is told.' })
  @Property({ type: 'text' })
  type!: NotificationType;

  @Field(() => [ID], {
    description: 'The alerts that it is about; none where it is about a canary or a repository.',
  })
  @Property({ type: 'array' })
  alertIds!: string[];

  @Field(() => ID, {
    nullable: true,
    description:
      'The id of the canary or the repository that it is about; null where it is about alerts, or a test.',
  })
  @Property({ type: 'text', nullable: true })
  subjectId!: string | null;

  /** The JSON text as it is signed and sent, the same at every attempt. */
  @Property({ type: 'text', lazy: true })
  body!: string;

  @Field(() => DeliveryStatus, { description: 'What became of it.' })
  @Property({ type: 'text' })
  status!: DeliveryStatus;

  @Property({ type: 'json' })
  attempts!: StoredAttempt[];

  @Field(() => DateTime, { nullable: true, description: 'When it is tried next; null once it has ended.' })
  @Property({ type: 'datetime', nullable: true })
  nextAttemptAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was delivered or given up.' })
  @Property({ type: 'datetime', nullable: true })
  endedAt!: Date | null;
}

@ObjectType({ description: 'One page of notification deliveries.' })
export class NotificationDeliveryPage extends pageOf(NotificationDelivery, 'NotificationDelivery') {}
