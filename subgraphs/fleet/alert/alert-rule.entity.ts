import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import { AlertRuleKind, AlertSeverity } from './alert.kinds.js';

/** A row holds all of a rule's settings; a tenant without one has the defaults. */
@Entity({ tableName: 'alert_rule' })
@ObjectType({
  description:
    'When a kind of alert is raised for any instance of the tenant that no override of it is in force for.',
})
export class AlertRule {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => AlertRuleKind, { description: 'What it is about.' })
  @PrimaryKey({ type: 'text' })
  kind!: AlertRuleKind;

  @Field(() => Boolean, { description: 'Whether it raises alerts at all.' })
  @Property({ type: 'boolean' })
  isEnabled!: boolean;

  @Field(() => AlertSeverity, { description: 'How urgent its alerts are.' })
  @Property({ type: 'text' })
  severity!: AlertSeverity;

  @Field(() => Float, {
    nullable: true,
    description: 'The limit in percent, above 0 to 100; null for rules that measure nothing.',
  })
  @Property({ type: 'double', nullable: true })
  threshold!: number | null;

  @Field(() => Int, {
    description:
      'Seconds that the condition has to hold before the alert fires, 0 to 86400. Only beats tell that it holds. Always 0 for COMMAND_FAILED and POLICY_VIOLATION.',
  })
  @Property({ type: 'integer' })
  forSeconds!: number;

  @Field(() => Int, {
    description: 'Seconds that the condition has to be gone before the alert resolves, 0 to 86400.',
  })
  @Property({ type: 'integer' })
  keepFiringForSeconds!: number;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was last set; null while it is the default.',
  })
  @Property({ type: 'datetime', nullable: true })
  updatedAt!: Date | null;

  @Field(() => ID, { nullable: true, description: 'Who last set it; null while it is the default.' })
  @Property({ type: 'text', nullable: true })
  updatedBy!: string | null;
}
