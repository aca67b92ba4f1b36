import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

export enum HaUpgradeStatus {
  RUNNING = 'RUNNING',
  PAUSED = 'PAUSED',
  SUCCEEDED = 'SUCCEEDED',
  CANCELLED = 'CANCELLED',
}
registerEnumType(HaUpgradeStatus, {
  name: 'HaUpgradeStatus',
  description: 'How far a rolling upgrade is.',
  valuesConfig: {
    RUNNING: { description: 'One process after the other is started anew.' },
    PAUSED: {
      description:
        'A process did not come back as it should, or another one went: see the reason. It can be resumed.',
    },
    SUCCEEDED: { description: 'All processes have the version.' },
    CANCELLED: { description: 'It was called off; what was done stays.' },
  },
});

export enum HaUpgradeStepStatus {
  PENDING = 'PENDING',
  DRAINING = 'DRAINING',
  HEALTHY = 'HEALTHY',
  FAILED = 'FAILED',
}
registerEnumType(HaUpgradeStepStatus, {
  name: 'HaUpgradeStepStatus',
  description: 'How far one process is in a rolling upgrade.',
  valuesConfig: {
    PENDING: { description: 'Its turn is yet to come.' },
    DRAINING: { description: 'It was told to end, and the one in its place is waited for.' },
    HEALTHY: {
      description: 'The one in its place serves as the version that is wanted, or it did so before.',
    },
    FAILED: { description: 'None came in its place in time, one of another version did, or it ended again.' },
  },
});

@ObjectType({ description: 'One process in a rolling upgrade.' })
export class HaUpgradeStep {
  @Field(() => String, { description: 'Its NODE_NAME.' })
  node!: string;

  @Field(() => HaUpgradeStepStatus, { description: 'How far it is.' })
  status!: HaUpgradeStepStatus;

  @Field(() => String, { description: 'The version that it had.' })
  fromVersion!: string;

  @Field(() => DateTime, { nullable: true, description: 'When it was told to end; null before.' })
  startedAt!: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the one in its place served, or the step failed.',
  })
  finishedAt!: Date | null;
}

@ObjectType({
  description: 'A rolling upgrade: the processes are started anew one at a time, the leader last.',
})
export class HaUpgrade {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => String, { description: 'The version that is wanted.' })
  version!: string;

  @Field(() => HaUpgradeStatus, { description: 'How far it is.' })
  status!: HaUpgradeStatus;

  @Field(() => String, { nullable: true, description: 'Why it is paused; null otherwise.' })
  reason!: string | null;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => [HaUpgradeStep], { description: 'The processes, in their order.' })
  steps!: HaUpgradeStep[];
}
