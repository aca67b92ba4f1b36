import { Field, Float, ID, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import type { ListedInstance } from '../instance/listed-columns.js';

@ObjectType({
  description:
    'What an instance measured at its newest beat. All null before the first; null too is what the beat did not tell so ' +
    'that it can be used.',
})
export class InstanceMetrics {
  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => DateTime, { nullable: true, description: 'When the beat came, by server time.' })
  timestamp!: Date | null;

  @Field(() => Float, { nullable: true, description: 'CPU in use, 0 to 100.' })
  cpuPercent!: number | null;

  @Field(() => Float, { nullable: true, description: 'Memory in use, 0 to 100.' })
  memoryPercent!: number | null;

  @Field(() => Float, { nullable: true, description: 'Disk in use, 0 to 100.' })
  diskPercent!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Received, over the last interval; null until two beats tell, and after a gap.',
  })
  netRxBytesPerSecond!: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Sent, over the last interval; null until two beats tell, and after a gap.',
  })
  netTxBytesPerSecond!: number | null;

  @Field(() => Float, { nullable: true, description: 'Load average over one minute.' })
  loadAverage!: number | null;

  @Field(() => Float, { nullable: true, description: 'Seconds since the node started.' })
  uptimeSeconds!: number | null;

  static of(instance: ListedInstance): InstanceMetrics {
    const { id, lastSeenAt, cpuPercent, memoryPercent, diskPercent, loadAverage, uptimeSeconds } = instance;
    const { netRxBytesPerSecond, netTxBytesPerSecond } = instance;
    return {
      instanceId: id,
      timestamp: lastSeenAt,
      cpuPercent,
      memoryPercent,
      diskPercent,
      netRxBytesPerSecond,
      netTxBytesPerSecond,
      loadAverage,
      uptimeSeconds,
    };
  }
}
