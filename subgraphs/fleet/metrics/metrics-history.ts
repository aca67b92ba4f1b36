import { Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import { MetricsSource } from './history-range.js';

const pairs =
  "Pairs of a bucket's start in Unix seconds and its mean, null for a bucket without samples. Null when not asked for.";

/** A list of [time, value]. */
export type Pairs = [number, number | null][];

@ObjectType({ description: 'The series of each metric as pairs, in the order of time.' })
export class MetricPairs {
  @Field(() => [[Float]], { nullable: 'itemsAndList', description: `CPU in use, 0 to 100. ${pairs}` })
  cpu!: Pairs | null;

  @Field(() => [[Float]], { nullable: 'itemsAndList', description: `Memory in use, 0 to 100. ${pairs}` })
  mem!: Pairs | null;

  @Field(() => [[Float]], { nullable: 'itemsAndList', description: `Disk in use, 0 to 100. ${pairs}` })
  disk!: Pairs | null;

  @Field(() => [[Float]], {
    nullable: 'itemsAndList',
    description: `Bytes per second received and sent together. ${pairs}`,
  })
  net!: Pairs | null;
}

@ObjectType({ description: 'What the samples of one bucket say of one metric.' })
export class MetricBand {
  @Field(() => Float, { description: 'The mean.' })
  mean!: number;

  @Field(() => Float, { description: 'The smallest value.' })
  min!: number;

  @Field(() => Float, { description: 'The largest value.' })
  max!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'The 95th percentile, by nearest rank; of hourly and daily rollups within 2 % of it. Null for rollups from before ' +
      'there were percentiles.',
  })
  p95!: number | null;

  @Field(() => Int, { description: 'How many values it was made of.' })
  count!: number;
}

const band = 'null for a bucket without samples, or when not asked for.';

@ObjectType({ description: 'One bucket of a history.' })
export class MetricsBucket {
  @Field(() => DateTime, { description: 'Its start.' })
  start!: Date;

  @Field(() => MetricBand, { nullable: true, description: `CPU in use, 0 to 100; ${band}` })
  cpu!: MetricBand | null;

  @Field(() => MetricBand, { nullable: true, description: `Memory in use, 0 to 100; ${band}` })
  mem!: MetricBand | null;

  @Field(() => MetricBand, { nullable: true, description: `Disk in use, 0 to 100; ${band}` })
  disk!: MetricBand | null;

  @Field(() => MetricBand, {
    nullable: true,
    description: `Bytes per second received and sent together; ${band}`,
  })
  net!: MetricBand | null;
}

@ObjectType({
  description: 'What an instance measured over a range of time, up to now; at most 500 buckets.',
})
export class MetricsHistory {
  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => String, { description: 'The range that was asked for.' })
  range!: string;

  @Field(() => MetricsSource, { description: 'The tier that it was made from.' })
  source!: MetricsSource;

  @Field(() => Int, { description: 'The length of a bucket in seconds.' })
  bucketSeconds!: number;

  @Field(() => MetricPairs, { description: 'The means alone, for charts.' })
  metrics!: MetricPairs;

  @Field(() => [MetricsBucket], {
    description: 'The same with the band around each mean. The last one is still open.',
  })
  buckets!: MetricsBucket[];
}
