import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType } from 'type-graphql';

import { DateTime, Json } from '#platform/subgraph/scalars.js';

import type { Rule } from '../rule/rule.js';
import { PolicyEnforcement, PolicySeverity } from './policy.entity.js';
import type { Scope } from './scope.js';

@Entity({ tableName: 'policy_version' })
@ObjectType({ description: 'A policy as it was. Kept when the policy is removed.' })
export class PolicyVersion {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'The policy.' })
  @PrimaryKey({ type: 'text' })
  policyId!: string;

  @Field(() => Int, { description: 'From 1.' })
  @PrimaryKey({ type: 'integer' })
  version!: number;

  @Field(() => String, { description: 'Its name then.' })
  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'json' })
  rule!: Rule;

  @Field(() => PolicyEnforcement, { description: 'What followed where it did not hold.' })
  @Property({ type: 'text' })
  enforcement!: PolicyEnforcement;

  @Field(() => PolicySeverity, { description: 'How much it counted.' })
  @Property({ type: 'text' })
  severity!: PolicySeverity;

  @Field(() => Json, { description: 'Whom it was for.' })
  @Property({ type: 'json' })
  appliesTo!: Scope;

  @Field(() => Boolean, { description: 'Whether this is the removal of the policy.' })
  @Property({ type: 'boolean' })
  isDeleted!: boolean;

  @Field(() => String, { description: 'Who changed it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  changedBy!: string;

  @Field(() => DateTime, { description: 'When.' })
  @Property({ type: 'datetime' })
  changedAt!: Date;
}
