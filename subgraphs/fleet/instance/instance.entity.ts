import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import type { ComponentReport } from '../heartbeat/heartbeat.rules.js';
import type { StoredReason } from './instance.status.js';

@Entity({ tableName: 'instance' })
@ObjectType({
  description: 'A Cloud OS server (a node) that has enrolled. What it measures is from its newest beat.',
})
@Directive('@key(fields: "id")')
export class Instance {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `inst_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'The name shown to people.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'The host name that the node gave at enrollment.' })
  @Property({ type: 'text' })
  hostname!: string;

  @Field(() => String, { description: 'The version of Cloud OS it runs.' })
  @Property({ type: 'text' })
  version!: string;

  @Field(() => String, {
    description: 'Where browsers reach the node: https://{hostname} unless it gave another.',
  })
  @Property({ type: 'text' })
  baseUrl!: string;

  @Field(() => [String], {
    description: 'Where its users may be sent back to when they sign in to it: others are refused.',
  })
  @Property({ type: 'array' })
  redirectUris!: string[];

  @Property({ type: 'text', nullable: true })
  publicKey!: string | null;

  @Field(() => [String], {
    description: 'Its tags: at first those of the enrollment token that it came in by.',
  })
  @Property({ type: 'array' })
  tags!: string[];

  @Field(() => DateTime, { description: 'When it enrolled.' })
  @Property({ type: 'datetime' })
  enrolledAt!: Date;

  @Field(() => ID, { description: 'The enrollment token that it came in by; it may be kept no more.' })
  @Property({ type: 'text' })
  enrollmentTokenId!: string;

  /** A credential of a lower generation is refused. */
  @Property({ type: 'integer' })
  credentialGeneration!: number;

  /** The generation of a credential that was offered to the node and not used yet. */
  @Property({ type: 'integer', nullable: true })
  candidateGeneration!: number | null;

  /** How often the sequence of its beats went back, each time soon after the last. */
  @Property({ type: 'integer' })
  regressions!: number;

  @Property({ type: 'datetime', nullable: true })
  regressedAt!: Date | null;

  @Field(() => DateTime, {
    name: 'lastSeen',
    nullable: true,
    description: 'The newest beat, by server time; null before the first.',
  })
  @Property({ type: 'datetime', nullable: true })
  lastSeenAt!: Date | null;

  @Property({ type: 'datetime', nullable: true })
  offlineAt!: Date | null;

  /** When its agent last said that it stops. While that is its newest word, `offlineAt` is the same. */
  @Property({ type: 'datetime', nullable: true })
  stoppedAt!: Date | null;

  /** As the newest beat or the expiry sweep left it; an instance whose time has run out since is OFFLINE as well. */
  @Property({ type: 'text' })
  announcedStatus!: 'HEALTHY' | 'DEGRADED' | 'OFFLINE';

  @Property({ type: 'json' })
  reasons!: StoredReason[];

  @Property({ type: 'bigint', nullable: true })
  sequence!: string | null;

  /** Where the sequence stood when it last went to another place: see `lifecycle/duplicate.ts`. */
  @Property({ type: 'bigint', nullable: true })
  otherSequence!: string | null;

  /** Shown by the resolver, as a figure for people. */
  @Property({ type: 'double', nullable: true })
  clockSkewSeconds!: number | null;

  @Field(() => Int, { nullable: true, description: 'Apps installed on it.' })
  @Property({ type: 'integer', nullable: true })
  appsCount!: number | null;

  @Field(() => Float, { nullable: true, description: 'CPU in use, 0 to 100.' })
  @Property({ type: 'double', nullable: true })
  cpuPercent!: number | null;

  @Field(() => Float, { nullable: true, description: 'Memory in use, 0 to 100.' })
  @Property({ type: 'double', nullable: true })
  memoryPercent!: number | null;

  @Property({ type: 'double', nullable: true })
  diskPercent!: number | null;

  @Field(() => Int, { nullable: true, description: 'CPU cores.' })
  @Property({ type: 'integer', nullable: true })
  cpuCores!: number | null;

  @Field(() => Float, { nullable: true, description: 'Memory in GB.' })
  @Property({ type: 'double', nullable: true })
  memoryGb!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      "Storage in use in GB, which counts towards that of the plan; null where it doesn't report it.",
  })
  @Property({ type: 'double', nullable: true })
  storageUsedGb!: number | null;

  @Property({ type: 'double', nullable: true })
  netRxBytes!: number | null;

  @Property({ type: 'double', nullable: true })
  netTxBytes!: number | null;

  @Property({ type: 'double', nullable: true })
  netRxBytesPerSecond!: number | null;

  @Property({ type: 'double', nullable: true })
  netTxBytesPerSecond!: number | null;

  @Property({ type: 'double', nullable: true })
  loadAverage!: number | null;

  @Property({ type: 'double', nullable: true })
  uptimeSeconds!: number | null;

  // Lists have no use for these two, which may be long.
  @Property({ type: 'json', lazy: true })
  health!: ComponentReport[];

  @Property({ type: 'json', lazy: true })
  facts!: Record<string, unknown>;

  @Property({ type: 'datetime', nullable: true, lazy: true })
  factsReportedAt!: Date | null;
}
