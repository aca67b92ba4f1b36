import { Field, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: "The tenant's fleet in seven numbers." })
export class FleetSummary {
  @Field(() => Int, { description: 'All instances, whatever their status.' })
  totalInstances!: number;

  @Field(() => Int, { description: 'Instances that beat with nothing wrong.' })
  healthy!: number;

  @Field(() => Int, { description: 'Instances that beat with something named wrong.' })
  degraded!: number;

  @Field(() => Int, { description: 'Instances that have never beaten or have stopped.' })
  offline!: number;

  @Field(() => Int, { description: 'Apps on all of them.' })
  totalApps!: number;

  @Field(() => Int, { description: 'CPU cores of all of them.' })
  totalCpuCores!: number;

  @Field(() => Int, { description: 'Memory of all of them, in whole GB.' })
  totalMemoryGb!: number;
}

@ObjectType({ description: 'Instances by status.' })
export class InstanceCounts {
  @Field(() => Int, { description: 'All of them.' })
  total!: number;

  @Field(() => Int, { nullable: true, description: 'How many the plan allows; null for any number.' })
  limit!: number | null;

  @Field(() => Int, { description: 'Healthy ones.' })
  healthy!: number;

  @Field(() => Int, { description: 'Degraded ones.' })
  degraded!: number;

  @Field(() => Int, { description: 'Offline ones.' })
  offline!: number;
}
