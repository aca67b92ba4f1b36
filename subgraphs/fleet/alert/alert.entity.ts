import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { AlertResolution, AlertRuleKind, AlertSeverity, AlertStatus } from './alert.kinds.js';
import { AlertOverride } from './override/alert-override.js';

@Entity({ tableName: 'alert' })
@ObjectType({
  description:
    'One condition of one instance, from when it began to when it was over. However often it is found meanwhile, it is ' +
    'one alert that counts.',
})
@Directive('@key(fields: "id")')
export class Alert {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `alr_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ID, { description: 'The instance it is about; it may have been removed since.' })
  @Property({ type: 'text' })
  instanceId!: string;

  /** As it was when the alert began, for when the instance is no more. */
  @Property({ type: 'text' })
  instanceName!: string;

  @Field(() => AlertRuleKind, { description: 'The rule that raised it.' })
  @Property({ type: 'text' })
  rule!: AlertRuleKind;

  @Property({ type: 'text' })
  component!: string;

  @Field(() => AlertSeverity, {
    description: 'The severity of its rule, or of the override in force, when it was last found.',
  })
  @Property({ type: 'text' })
  severity!: AlertSeverity;

  @Field(() => AlertStatus, { description: 'How far it is.' })
  @Property({ type: 'text' })
  status!: AlertStatus;

  @Field(() => String, { description: 'One sentence for people.' })
  @Property({ type: 'text' })
  message!: string;

  @Field(() => Float, {
    nullable: true,
    description:
      'What was measured when the condition was last found, in percent; null where nothing is measured.',
  })
  @Property({ type: 'double', nullable: true })
  value!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'The limit that it was measured by, in percent; null where nothing is measured.',
  })
  @Property({ type: 'double', nullable: true })
  threshold!: number | null;

  @Field(() => AlertOverride, {
    name: 'override',
    nullable: true,
    description:
      "The override that its severity and limits were of when it was last looked at; null when they were the tenant's rule's.",
  })
  @Property({ type: 'json', nullable: true })
  ruleOverride!: AlertOverride | null;

  @Field(() => Int, {
    description:
      'How often the condition was found: once per beat, for OFFLINE once per outage, and for COMMAND_FAILED once per command. ' +
      'Of DUPLICATE_IDENTITY, once per look that found another step back, and of POLICY_VIOLATION once an hour and per change of ' +
      'the policy.',
  })
  @Property({ type: 'integer' })
  count!: number;

  @Field(() => DateTime, { description: 'When the condition was first found.' })
  @Property({ type: 'datetime' })
  startedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it began to fire; null while it is pending.' })
  @Property({ type: 'datetime', nullable: true })
  firedAt!: Date | null;

  @Field(() => DateTime, { name: 'lastSeen', description: 'When the condition was last found.' })
  @Property({ type: 'datetime' })
  lastSeenAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Since when the condition is gone while the alert goes on; null while it holds.',
  })
  @Property({ type: 'datetime', nullable: true })
  clearSince!: Date | null;

  @Field(() => DateTime, { description: 'When anything of it last changed, its count included.' })
  @Property({ type: 'datetime' })
  updatedAt!: Date;

  @Field(() => ID, {
    nullable: true,
    description: 'Who acknowledged it: the id of a user, an API key or a service.',
  })
  @Property({ type: 'text', nullable: true })
  acknowledgedBy!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was acknowledged.' })
  @Property({ type: 'datetime', nullable: true })
  acknowledgedAt!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'What whoever acknowledged it wrote beside that; null where nothing was written.',
  })
  @Property({ type: 'text', nullable: true })
  acknowledgeComment!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was over; null while it is not.' })
  @Property({ type: 'datetime', nullable: true })
  resolvedAt!: Date | null;

  @Field(() => ID, { nullable: true, description: 'Who resolved it; null when it cleared by itself.' })
  @Property({ type: 'text', nullable: true })
  resolvedBy!: string | null;

  @Field(() => AlertResolution, { nullable: true, description: 'Why it is over; null while it is not.' })
  @Property({ type: 'text', nullable: true })
  resolution!: AlertResolution | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When channels were first told that it fires; null when none was, for want of one or because of a silence.',
  })
  @Property({ type: 'datetime', nullable: true })
  notifiedAt!: Date | null;

  /** When channels are to be told next; null when there is nothing to tell. */
  @Property({ type: 'datetime', nullable: true })
  notifyAt!: Date | null;

  /** The newest fact that was taken into account, by server time: a beat, the start of an outage, or a command's end. */
  @Property({ type: 'datetime' })
  observedTo!: Date;

  /** The newest sample that was, by the samples' own times. */
  @Property({ type: 'datetime', nullable: true })
  sampledTo!: Date | null;
}

@ObjectType({ description: 'One page of alerts.' })
export class AlertPage extends pageOf(Alert, 'Alert') {}
