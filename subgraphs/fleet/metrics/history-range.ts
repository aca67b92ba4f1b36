import { registerEnumType } from 'type-graphql';

import { ApiError } from '#platform/errors.js';

import { dayMs, hourMs } from './tiers.js';

export enum MetricsSource {
  RAW = 'RAW',
  HOURLY = 'HOURLY',
  DAILY = 'DAILY',
}

registerEnumType(MetricsSource, {
  name: 'MetricsSource',
  description: 'Which tier of metrics an answer was made from.',
  valuesConfig: {
    RAW: { description: 'The samples themselves, of the last two days.' },
    HOURLY: {
      description: 'Rollups of an hour, of the last 40 days, with the samples of hours not rolled up yet.',
    },
    DAILY: {
      description: 'Rollups of a day, with those of hours and the samples for days not rolled up yet.',
    },
  },
});

export interface HistoryRange {
  source: MetricsSource;
  lengthMs: number;
  bucketSeconds: number;
}

const minute = 60;
const hour = hourMs / 1000;
const day = dayMs / 1000;

// No range has more than 500 buckets.
const ranges: Readonly<Record<string, HistoryRange>> = {
  '1h': { source: MetricsSource.RAW, lengthMs: hourMs, bucketSeconds: minute },
  '6h': { source: MetricsSource.RAW, lengthMs: 6 * hourMs, bucketSeconds: minute },
  '24h': { source: MetricsSource.HOURLY, lengthMs: dayMs, bucketSeconds: hour },
  '7d': { source: MetricsSource.HOURLY, lengthMs: 7 * dayMs, bucketSeconds: hour },
  '30d': { source: MetricsSource.HOURLY, lengthMs: 30 * dayMs, bucketSeconds: 2 * hour },
  '3mo': { source: MetricsSource.DAILY, lengthMs: 90 * dayMs, bucketSeconds: day },
};

export const metricNames = ['cpu', 'mem', 'disk', 'net'] as const;
export type MetricName = (typeof metricNames)[number];

const rawBuckets = [minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute, hour];

/** The range of that name. BAD_REQUEST names the words there are. */
export function historyRange(name: string, heartbeatSeconds: number): HistoryRange {
  const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined;
  if (!range) throw new ApiError('BAD_REQUEST', `range must be one of ${Object.keys(ranges).join(', ')}`);
  if (range.source !== MetricsSource.RAW) return range;
  // Beats are up to a tenth off their pace: a bucket has to be two intervals long for each to have a sample.
  const bucketSeconds = rawBuckets.find((seconds) => seconds >= 2 * heartbeatSeconds) ?? hour;
  return { ...range, bucketSeconds };
}

/** The metrics asked for: one, or all. BAD_REQUEST names the words there are. */
export function metricsAsked(name: string | null | undefined): readonly MetricName[] {
  if (name === null || name === undefined) return metricNames;
  const metric = metricNames.find((known) => known === name);
  if (!metric) throw new ApiError('BAD_REQUEST', `metric must be one of ${metricNames.join(', ')}`);
  return [metric];
}
