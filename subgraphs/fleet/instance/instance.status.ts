import { Field, ObjectType, registerEnumType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import { missedIntervals, offlineSince, type Silence } from '../hearing/hearing.rules.js';

export enum InstanceStatus {
  HEALTHY = 'HEALTHY',
  DEGRADED = 'DEGRADED',
  OFFLINE = 'OFFLINE',
}

registerEnumType(InstanceStatus, {
  name: 'InstanceStatus',
  description: 'How an instance is, always with the reasons beside it.',
  valuesConfig: {
    HEALTHY: { description: 'It beats, and nothing named is wrong.' },
    DEGRADED: { description: 'It beats, but something named is wrong. A late beat alone never degrades.' },
    OFFLINE: {
      description:
        'It never beat, was stopped, or has not beaten for three of the offered intervals in which the panel could hear it.',
    },
  },
});

export enum StatusReasonCode {
  NEVER_CONNECTED = 'NEVER_CONNECTED',
  NO_HEARTBEAT = 'NO_HEARTBEAT',
  MISSING = 'MISSING',
  STOPPED = 'STOPPED',
  COMPONENT_UNHEALTHY = 'COMPONENT_UNHEALTHY',
  DISK_NEARLY_FULL = 'DISK_NEARLY_FULL',
  CLOCK_SKEW = 'CLOCK_SKEW',
  CPU_HIGH = 'CPU_HIGH',
  MEMORY_HIGH = 'MEMORY_HIGH',
  VERSION_SKEW = 'VERSION_SKEW',
  METRIC_INVALID = 'METRIC_INVALID',
}

registerEnumType(StatusReasonCode, {
  name: 'StatusReasonCode',
  description: 'What makes an instance degraded or offline.',
  valuesConfig: {
    NEVER_CONNECTED: { description: 'Enrolled, but no beat has come yet.' },
    NO_HEARTBEAT: {
      description:
        'No beat for three of the offered intervals. Only silence that the panel could hear counts: after a time in ' +
        'which it was away itself, nodes have three intervals to beat again.',
    },
    MISSING: { description: 'No beat for 30 days.' },
    STOPPED: {
      description: 'Its agent was stopped and said so; over with its next beat. It raises no alert.',
    },
    COMPONENT_UNHEALTHY: { description: 'The node itself reports a component that is not healthy.' },
    DISK_NEARLY_FULL: { description: 'The disk is at 95 % or more; over when it is below 93 %.' },
    CLOCK_SKEW: {
      description: "The node's clock is more than 60 seconds off the panel's; over when it is 50 or less.",
    },
    CPU_HIGH: {
      description: 'The CPU was at 95 % or more for three beats in a row; over after three beats below.',
    },
    MEMORY_HIGH: {
      description: 'Memory was at 95 % or more for three beats in a row; over after three beats below.',
    },
    VERSION_SKEW: {
      description: "It runs an older major.minor version than most of the tenant's instances.",
    },
    METRIC_INVALID: {
      description:
        'Something that it measures is out of range or no number, and is shown as null; over after three beats in which ' +
        'all could be used.',
    },
  },
});

@ObjectType({ description: 'One thing that makes an instance degraded or offline.' })
export class StatusReason {
  @Field(() => StatusReasonCode, { description: 'The kind of trouble.' })
  code!: StatusReasonCode;

  @Field(() => String, { description: 'One sentence for people, naming what is affected.' })
  message!: string;

  @Field(() => DateTime, { nullable: true, description: 'Since when; null when it was so from the start.' })
  since!: Date | null;
}

/** A reason as the instance's row keeps it. */
export interface StoredReason {
  code: StatusReasonCode;
  /** Which component it is about, where there may be several reasons with the same code. */
  component?: string;
  message: string;
  since: string;
}

/** What makes two reasons the same: their messages may differ, as they tell how things are at the moment. */
export function reasonKey({ code, component = '' }: Pick<StoredReason, 'code' | 'component'>): string {
  return `${code} ${component}`;
}

/** The facts that status is derived from; nothing else may decide it. */
export interface StatusFacts {
  enrolledAt: Date;
  lastSeenAt: Date | null;
  /** Server time at which the instance counts as offline unless it beats before. */
  offlineAt: Date | null;
  /** When its agent last said that it stops: then it is what `offlineAt` was set to. */
  stoppedAt: Date | null;
  /** As the newest beat or the expiry sweep left it. */
  announcedStatus: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';
  /** What was wrong at the newest beat; empty on a healthy one. */
  reasons: readonly StoredReason[];
}

const missingMs = 30 * 24 * 60 * 60 * 1000;

/** When an instance that has just beaten counts as offline. */
export function offlineAfter(seenAt: Date, heartbeatSeconds: number): Date {
  return new Date(seenAt.getTime() + missedIntervals * heartbeatSeconds * 1000);
}

/** The one status function: lists, detail, summary, health and events all answer by it (or by its twins in SQL). */
export function statusOf(
  facts: StatusFacts,
  silence: Silence,
): { status: InstanceStatus; reasons: StatusReason[] } {
  const { lastSeenAt, offlineAt, stoppedAt, announcedStatus } = facts;
  const { countsTo } = silence;
  if (!lastSeenAt || !offlineAt) {
    return offline(
      StatusReasonCode.NEVER_CONNECTED,
      'It has not connected since it was enrolled',
      facts.enrolledAt,
    );
  }
  if (announcedStatus !== 'OFFLINE' && offlineAt > countsTo) {
    return {
      status: InstanceStatus[announcedStatus],
      reasons: facts.reasons.map((reason) => ({ ...reason, since: new Date(reason.since) })),
    };
  }
  if (announcedStatus === 'OFFLINE' && stoppedAt?.getTime() === offlineAt.getTime()) {
    return offline(StatusReasonCode.STOPPED, `The agent was stopped at ${toSecond(stoppedAt)}`, stoppedAt);
  }
  const since = announcedStatus === 'OFFLINE' ? offlineAt : offlineSince(offlineAt, silence);
  return countsTo.getTime() - lastSeenAt.getTime() >= missingMs
    ? offline(StatusReasonCode.MISSING, 'No heartbeat for 30 days', since)
    : offline(StatusReasonCode.NO_HEARTBEAT, 'Heartbeats have stopped', since);
}

/** The same in SQL, over the columns of fleet.instance; takes the time once as its parameter. Looks once, not per row. */
export const statusSql = `(case when offline_at <= (select fleet.silence_counts_to(?)) then 'OFFLINE' else announced_status end)`;

/** The same where it is known how far silence counts, which it takes as its parameter. */
export const statusAtSql = `(case when last_seen_at is not null and offline_at > ? then announced_status else 'OFFLINE' end)`;

/** True in SQL of an instance `i` whose agent said that it stops, and which has not beaten since. */
export const isStoppedSql = `coalesce(i.announced_status = 'OFFLINE' and i.stopped_at = i.offline_at, false)`;

function toSecond(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function offline(code: StatusReasonCode, message: string, since: Date) {
  return { status: InstanceStatus.OFFLINE, reasons: [{ code, message, since }] };
}
