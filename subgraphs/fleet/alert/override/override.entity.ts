import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import { AlertRuleKind, AlertSeverity } from '../alert.kinds.js';

@Entity({ tableName: 'alert_rule_override' })
@ObjectType({
  description:
    'What a rule says otherwise of the instances in a group; what it leaves open is as the rule says. Of an instance that ' +
    'several of them are about, the one with the lowest priority number is in force, and that one alone.',
})
export class AlertRuleOverride {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => AlertRuleKind, { description: 'The rule.' })
  @PrimaryKey({ type: 'text' })
  kind!: AlertRuleKind;

  @Field(() => ID, { description: 'The group whose instances it is about, whoever is in it at the moment.' })
  @PrimaryKey({ type: 'text' })
  groupId!: string;

  @Field(() => Int, {
    description:
      'Its place among the overrides of the rule, 1 to 10000: the lowest goes first. No two have the same.',
  })
  @Property({ type: 'integer' })
  priority!: number;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether alerts are raised for them at all; null where that is as the rule says.',
  })
  @Property({ type: 'boolean', nullable: true })
  isEnabled!: boolean | null;

  @Field(() => AlertSeverity, {
    nullable: true,
    description: 'How urgent their alerts are; null where that is as the rule says.',
  })
  @Property({ type: 'text', nullable: true })
  severity!: AlertSeverity | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'The limit in percent, above 0 to 100; null where it is that of the rule, and for rules that measure nothing.',
  })
  @Property({ type: 'double', nullable: true })
  threshold!: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Seconds that the condition has to hold before an alert fires, 0 to 86400; null where that is as the rule says.',
  })
  @Property({ type: 'integer', nullable: true })
  forSeconds!: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Seconds that the condition has to be gone before an alert resolves, 0 to 86400; null where that is as the rule says.',
  })
  @Property({ type: 'integer', nullable: true })
  keepFiringForSeconds!: number | null;

  @Field(() => DateTime, { description: 'When it was last set.' })
  @Property({ type: 'datetime' })
  updatedAt!: Date;

  @Field(() => ID, { description: 'Who last set it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  updatedBy!: string;
}
