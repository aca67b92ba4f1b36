import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { AlertSeverity } from '../alert.kinds.js';
import { ChannelKind } from './notification.kinds.js';

@Entity({ tableName: 'notification_channel' })
@ObjectType({
  description: 'Where the tenant is told of alerts, and of canaries and repositories that need somebody.',
})
export class NotificationChannel {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `chn_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ChannelKind, { description: 'How it is told.' })
  @Property({ type: 'text' })
  kind!: ChannelKind;

  @Field(() => String, { description: 'The name shown to people.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Where a webhook is sent; null for e-mail.' })
  @Property({ type: 'text', nullable: true })
  url!: string | null;

  @Field(() => [String], {
    description: 'Who e-mail is sent to, once they have confirmed it; empty for a webhook.',
  })
  @Property({ type: 'array' })
  recipients!: string[];

  @Property({ type: 'text', nullable: true })
  sealedSecret!: string | null;

  @Property({ type: 'text', nullable: true })
  sealedPreviousSecret!: string | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Until when messages are also signed with the secret before the last rotation.',
  })
  @Property({ type: 'datetime', nullable: true })
  previousSecretUntil!: Date | null;

  /** The oldest one whose hours were not over when that before the last came: what its receiver may still have. */
  @Property({ type: 'text', nullable: true })
  sealedEarlierSecret!: string | null;

  @Property({ type: 'datetime', nullable: true })
  earlierSecretUntil!: Date | null;

  @Field(() => AlertSeverity, { description: 'It is told of alerts of this severity and above.' })
  @Property({ type: 'text' })
  minimumSeverity!: AlertSeverity;

  @Field(() => Boolean, { description: 'Whether it is also told when alerts are over.' })
  @Property({ type: 'boolean' })
  tellsResolved!: boolean;

  @Field(() => Boolean, {
    description:
      'Whether it is also told of canaries that wait for somebody (as WARNING), or were taken back or could not be (as CRITICAL).',
  })
  @Property({ type: 'boolean' })
  tellsCanaries!: boolean;

  @Field(() => Boolean, {
    description:
      'Whether it is also told of repositories of GitOps that cannot be read or put into force (as CRITICAL); of the end ' +
      'where `tellsResolved` is.',
  })
  @Property({ type: 'boolean' })
  tellsGitOps!: boolean;

  @Field(() => Int, {
    description:
      'Minutes after which it is told again of an alert that still fires and nobody has acknowledged; 0 for never.',
  })
  @Property({ type: 'integer' })
  repeatIntervalMinutes!: number;

  @Field(() => Boolean, { description: 'Whether it is told of anything.' })
  @Property({ type: 'boolean' })
  isEnabled!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Why the panel itself disabled it; null when it did not.',
  })
  @Property({ type: 'text', nullable: true })
  disabledReason!: string | null;

  /** The grant under which a provider's user set it up, and when that ends at its time; null for what is the tenant's own. */
  @Property({ type: 'text', nullable: true })
  grantId!: string | null;

  @Property({ type: 'datetime', nullable: true })
  grantEndsAt!: Date | null;

  @Field(() => ID, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;
}

@ObjectType({ description: 'One page of notification channels.' })
export class NotificationChannelPage extends pageOf(NotificationChannel, 'NotificationChannel') {}
