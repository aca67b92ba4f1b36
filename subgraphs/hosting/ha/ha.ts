import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

export enum HaHealth {
  HEALTHY = 'HEALTHY',
  DEGRADED = 'DEGRADED',
}
registerEnumType(HaHealth, {
  name: 'HaHealth',
  description: 'How the panel stands.',
  valuesConfig: {
    HEALTHY: { description: 'All that is known of is there.' },
    DEGRADED: { description: 'It serves, and something is missing: see the reasons.' },
  },
});

export enum HaRole {
  LEADER = 'LEADER',
  FOLLOWER = 'FOLLOWER',
}
registerEnumType(HaRole, {
  name: 'HaRole',
  description: 'What a process is among the others.',
  valuesConfig: {
    LEADER: { description: 'It runs the singletons: it holds the most leases.' },
    FOLLOWER: { description: 'It serves clients and does jobs, as all do.' },
  },
});

export enum HaNodeStatus {
  HEALTHY = 'HEALTHY',
  DRAINING = 'DRAINING',
  OFFLINE = 'OFFLINE',
}
registerEnumType(HaNodeStatus, {
  name: 'HaNodeStatus',
  description: 'How a process is.',
  valuesConfig: {
    HEALTHY: { description: 'Its session stands, and it has said so within ten seconds.' },
    DRAINING: {
      description: 'It is about to end, or too old (`outdatedBy`), and asks to be sent nothing more.',
    },
    OFFLINE: { description: 'It ended without a word, or is frozen. Forgotten after ten minutes.' },
  },
});

@ObjectType({ description: 'The right of one process to run the singletons of an area.' })
export class HaLease {
  @Field(() => String, { description: 'The area.' })
  name!: string;

  @Field(() => Float, {
    description: 'Grows with each change of holder; writes of an earlier one are refused.',
  })
  epoch!: number;

  @Field(() => DateTime, { description: 'Since when it is held.' })
  acquiredAt!: Date;
}

@ObjectType({ description: 'A process of the panel.' })
export class HaNode {
  @Field(() => ID, { description: 'Another one each time that it starts.' })
  id!: string;

  @Field(() => String, { description: 'NODE_NAME.' })
  name!: string;

  @Field(() => HaRole, { description: 'What it is among the others.' })
  role!: HaRole;

  @Field(() => HaNodeStatus, { description: 'How it is.' })
  status!: HaNodeStatus;

  @Field(() => String, { description: 'The version that it runs.' })
  version!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The steps of the database, as `area step`, that took away what its version uses: it is not ready and does no ' +
      'background work. Null while it is not too old.',
  })
  outdatedBy!: string | null;

  @Field(() => String, { description: 'Where others reach it: host:port. Empty until it listens.' })
  address!: string;

  @Field(() => DateTime, { description: 'When it began, by the clock of the database.' })
  startedAt!: Date;

  @Field(() => DateTime, { description: 'When it last said that it is there, by the clock of the database.' })
  lastHeartbeat!: Date;

  @Field(() => Float, {
    nullable: true,
    description: 'The greatest epoch of its leases; null while it holds none.',
  })
  epoch!: number | null;

  @Field(() => [String], { description: 'The areas that it runs.' })
  areas!: string[];

  @Field(() => [HaLease], { description: 'What it holds.' })
  leases!: HaLease[];
}

@ObjectType({ description: 'A server of the database.' })
export class HaDatabaseMember {
  @Field(() => String, {
    description: "Patroni's name of it, or the application_name that a standby streams by.",
  })
  name!: string;

  @Field(() => HaRole, { description: 'LEADER is the one that takes writes.' })
  role!: HaRole;

  @Field(() => String, {
    description: 'As Patroni or PostgreSQL calls it: `running`, `streaming`, `catchup`.',
  })
  state!: string;

  @Field(() => Boolean, { description: 'Whether commits wait for it.' })
  isSynchronous!: boolean;

  @Field(() => Float, {
    nullable: true,
    description:
      'How far it is behind, in milliseconds, as the leader measures it; null when that is not known.',
  })
  lagMs!: number | null;

  @Field(() => Float, { nullable: true, description: 'The same in bytes of log.' })
  lagBytes!: number | null;
}

@ObjectType({ description: 'The database behind the panel.' })
export class HaDatabase {
  @Field(() => String, {
    description: '`standalone`, `streaming` (it has standbys), or `patroni` (PATRONI_URLS is set).',
  })
  kind!: string;

  @Field(() => String, { nullable: true, description: "The leader's name; null without Patroni." })
  leader!: string | null;

  @Field(() => Int, { nullable: true, description: 'Grows with each promotion.' })
  timeline!: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether a commit waits for a standby, as the leader has it just now, so that a failover loses nothing that was ' +
      'acknowledged; null when standalone, and while Patroni does not say.',
  })
  isSynchronous!: boolean | null;

  @Field(() => [HaDatabaseMember], { description: 'Its servers; none when standalone.' })
  members!: HaDatabaseMember[];
}

/** Every code of a reason. */
export const haReasonCodes = [
  'NODE_OFFLINE',
  'NODE_OUTDATED',
  'LEASES_FREE',
  'MEMBER_MISSING',
  'MEMBER_UNHEALTHY',
  'NO_DATABASE_LEADER',
  'PATRONI_AWAY',
  'FAILOVER_PAUSED',
  'NOT_SYNCHRONOUS',
  'NO_SYNCHRONOUS_STANDBY',
  'REPLICATION_HIDDEN',
] as const;

@ObjectType({ description: 'Something that keeps the panel from being healthy.' })
export class HaReason {
  @Field(() => String, {
    description:
      'NODE_OFFLINE, NODE_OUTDATED, LEASES_FREE, MEMBER_MISSING, MEMBER_UNHEALTHY, NO_DATABASE_LEADER, PATRONI_AWAY, ' +
      'FAILOVER_PAUSED, NOT_SYNCHRONOUS, NO_SYNCHRONOUS_STANDBY or REPLICATION_HIDDEN.',
  })
  code!: (typeof haReasonCodes)[number];

  @Field(() => String, { description: 'The same as a sentence.' })
  message!: string;
}

@ObjectType({ description: 'Who led, and who has led since.' })
export class HaChange {
  @Field(() => ID, { description: 'Higher than those of changes before it.' })
  id!: string;

  @Field(() => String, { description: '`panel` or `database`.' })
  kind!: string;

  @Field(() => String, { nullable: true, description: 'Who led before; null when that is not known.' })
  from!: string | null;

  @Field(() => String, { nullable: true, description: 'Who has led since; null when nobody did.' })
  to!: string | null;

  @Field(() => Float, {
    nullable: true,
    description: "The lease's epoch, or the database's timeline, since.",
  })
  epoch!: number | null;

  @Field(() => DateTime, { description: 'When it was seen.' })
  occurredAt!: Date;
}

@ObjectType({ description: 'How the panel and its database stand, measured when it is asked.' })
export class HaStatus {
  @Field(() => String, {
    description: '`active-passive` with several processes or servers of the database, else `standalone`.',
  })
  mode!: string;

  @Field(() => HaHealth, { description: 'In one word.' })
  status!: HaHealth;

  @Field(() => String, { nullable: true, description: "The leader's NODE_NAME; null while there is none." })
  leader!: string | null;

  @Field(() => Int, { description: 'How many processes are there.' })
  nodes!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'How far the standby that is furthest behind is behind the primary (`pg_stat_replication.replay_lag`); null without ' +
      'standbys, and when that is not known.',
  })
  replicationLagMs!: number | null;

  @Field(() => DateTime, {
    nullable: true,
    description:
      "When the leader last changed: the database's by Patroni's history, else the panel's; null before.",
  })
  lastFailover!: Date | null;

  @Field(() => [HaReason], { description: 'Why it is not HEALTHY; empty when it is.' })
  reasons!: HaReason[];

  @Field(() => HaDatabase, { description: 'The database.' })
  database!: HaDatabase;
}
