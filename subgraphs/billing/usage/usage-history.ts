import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';

import { ApiError } from '#platform/errors.js';
import { DateTime } from '#platform/subgraph/scalars.js';

export enum UsageMetric {
  INSTANCES = 'INSTANCES',
  USERS = 'USERS',
  STORAGE_GB = 'STORAGE_GB',
}

registerEnumType(UsageMetric, {
  name: 'UsageMetric',
  description: 'What plans have limits of.',
  valuesConfig: {
    INSTANCES: { description: 'Instances that have enrolled.' },
    USERS: { description: 'Users.' },
    STORAGE_GB: { description: 'GB that instances store, by what each reported last.' },
  },
});

const hour = 3_600;
const day = 24 * hour;

export interface UsageRange {
  bucketSeconds: number;
  buckets: number;
}

/** Hours are kept for thirteen months. */
const ranges: Readonly<Record<string, UsageRange>> = {
  '24h': { bucketSeconds: hour, buckets: 24 },
  '7d': { bucketSeconds: hour, buckets: 7 * 24 },
  '30d': { bucketSeconds: day, buckets: 30 },
  '3mo': { bucketSeconds: day, buckets: 90 },
  '12mo': { bucketSeconds: day, buckets: 366 },
};

/** The range of that name. BAD_REQUEST names the words there are. */
export function usageRange(name: string): UsageRange {
  const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined;
  if (!range) throw new ApiError('BAD_REQUEST', `range must be one of ${Object.keys(ranges).join(', ')}`);
  return range;
}

@ObjectType({ description: 'What was used in one hour, or on one day in UTC.' })
export class UsageBucket {
  @Field(() => DateTime, { description: 'Its start.' })
  start!: Date;

  @Field(() => Float, {
    nullable: true,
    description: 'The mean of what was measured, once an hour; null where nothing was.',
  })
  mean!: number | null;

  @Field(() => Float, { nullable: true, description: 'The most of it; null where nothing was measured.' })
  max!: number | null;
}

@ObjectType({ description: 'What a tenant used over a range of time, up to now; at most 366 buckets.' })
export class UsageHistory {
  @Field(() => UsageMetric, { description: 'What of.' })
  metric!: UsageMetric;

  @Field(() => String, { description: 'The range that was asked for.' })
  range!: string;

  @Field(() => Int, { description: 'The length of a bucket in seconds.' })
  bucketSeconds!: number;

  @Field(() => [UsageBucket], { description: 'In the order of time. The last one is still open.' })
  buckets!: UsageBucket[];
}
