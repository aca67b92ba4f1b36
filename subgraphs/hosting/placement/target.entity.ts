import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';

import { PlacementTargetStatus } from './placement.status.js';

@Entity({ tableName: 'placement_target' })
@ObjectType({ description: 'A placement in one cluster.' })
export class PlacementTarget {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  placementId!: string;

  @PrimaryKey({ type: 'text' })
  clusterId!: string;

  /** Null before it was deployed there. */
  @Property({ type: 'text', nullable: true })
  deploymentId!: string | null;

  @Field(() => Int, { description: 'Its partition, from 1.' })
  @Property({ type: 'integer' })
  partition!: number;

  @Field(() => PlacementTargetStatus, { description: 'How far it is there.' })
  @Property({ type: 'text' })
  status!: PlacementTargetStatus;

  @Field(() => String, {
    nullable: true,
    description:
      "Why it failed, for programs: the deployment's own reason, `POLICY_VIOLATION`, `NAME_TAKEN`, `GONE` or `TOO_LATE`.",
  })
  @Property({ type: 'text', nullable: true })
  reason!: string | null;

  @Field(() => String, { nullable: true, description: 'The same for people.' })
  @Property({ type: 'text', nullable: true })
  message!: string | null;

  @Property({ type: 'datetime', nullable: true })
  startedAt!: Date | null;
}
