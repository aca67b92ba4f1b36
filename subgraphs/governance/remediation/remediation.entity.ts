import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime, JsonObject } from '#platform/subgraph/scalars.js';

import { OrderedCommand } from '../order/order.js';

export enum RemediationStatus {
  REQUESTED = 'REQUESTED',
  SENT = 'SENT',
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
  UNREACHED = 'UNREACHED',
  REFUSED = 'REFUSED',
}

registerEnumType(RemediationStatus, {
  name: 'RemediationStatus',
  description: 'How a remediation is.',
  valuesConfig: {
    REQUESTED: { description: 'The command is about to be sent.' },
    SENT: { description: 'It is under way.' },
    SUCCEEDED: { description: 'The node did it. Whether the policy holds now, its next facts tell.' },
    FAILED: { description: 'The node could not do it, or not in time.' },
    UNREACHED: { description: 'The node did not take it, or left the fleet.' },
    REFUSED: { description: 'It was not sent: `message` says why.' },
  },
});

@Entity({ tableName: 'remediation' })
@ObjectType({
  description:
    'A command that brings an instance in line with a policy. It is kept for 90 days after it has ended.',
})
export class PolicyRemediation {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `rem_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => ID, { description: 'The policy.' })
  @Property({ type: 'text' })
  policyId!: string;

  @Field(() => ID, { description: 'The instance.' })
  @Property({ type: 'text' })
  instanceId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What the instance was called then; null of the first ones, of which that was not kept.',
  })
  @Property({ type: 'text', nullable: true })
  instanceName!: string | null;

  @Field(() => OrderedCommand, { description: 'What it was told.' })
  @Property({ type: 'text' })
  command!: OrderedCommand;

  @Field(() => JsonObject, { description: 'What the command took.' })
  @Property({ type: 'json' })
  params!: Record<string, unknown>;

  @Field(() => Boolean, { description: 'Whether nobody asked for it.' })
  @Property({ type: 'boolean' })
  isAutomatic!: boolean;

  @Field(() => RemediationStatus, { description: 'How it is.' })
  @Property({ type: 'text' })
  status!: RemediationStatus;

  @Field(() => String, { nullable: true, description: 'Of one that was refused: why.' })
  @Property({ type: 'text', nullable: true })
  message!: string | null;

  @Field(() => String, { description: 'Who asked for it, or `svc:governance`.' })
  @Property({ type: 'text' })
  requestedBy!: string;

  @Property({ type: 'datetime', nullable: true })
  attemptedAt!: Date | null;

  @Field(() => ID, { nullable: true, description: 'The command of fleet; null before it is sent.' })
  @Property({ type: 'text', nullable: true })
  commandId!: string | null;

  @Property({ type: 'datetime', nullable: true })
  dueAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it ended; null before.' })
  @Property({ type: 'datetime', nullable: true })
  finishedAt!: Date | null;
}

@ObjectType({ description: 'One page of remediations.' })
export class PolicyRemediationPage extends pageOf(PolicyRemediation, 'PolicyRemediation') {}
