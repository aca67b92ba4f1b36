import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

import { GitOpsChange, GitOpsProblem } from './gitops-change.types.js';
import type { Declared, Problem } from './manifest/resource.js';

export enum GitOpsSyncStatus {
  SYNCED = 'SYNCED',
  OUT_OF_SYNC = 'OUT_OF_SYNC',
  UNKNOWN = 'UNKNOWN',
}

registerEnumType(GitOpsSyncStatus, {
  name: 'GitOpsSyncStatus',
  description: 'Whether what the repository declares is what there is.',
  valuesConfig: {
    SYNCED: { description: 'It is.' },
    OUT_OF_SYNC: { description: 'It is not: `changes` says where.' },
    UNKNOWN: { description: 'The newest commit could not be read, or none was looked at yet.' },
  },
});

export enum GitOpsHealth {
  HEALTHY = 'HEALTHY',
  PROGRESSING = 'PROGRESSING',
  DEGRADED = 'DEGRADED',
  SUSPENDED = 'SUSPENDED',
  UNKNOWN = 'UNKNOWN',
}

registerEnumType(GitOpsHealth, {
  name: 'GitOpsHealth',
  description: 'How it goes, whatever is in sync.',
  valuesConfig: {
    HEALTHY: { description: 'The last look found nothing wrong, and what is declared is there.' },
    PROGRESSING: {
      description:
        'Instances are on the way to a desired version; also while a canary there waits as it was told to, or somebody paused it.',
    },
    DEGRADED: { description: 'Something is wrong: `problems` says what.' },
    SUSPENDED: { description: 'It is paused.' },
    UNKNOWN: { description: 'It was not looked at yet.' },
  },
});

export enum GitOpsCredentialKind {
  TOKEN = 'TOKEN',
  SSH_KEY = 'SSH_KEY',
}

registerEnumType(GitOpsCredentialKind, {
  name: 'GitOpsCredentialKind',
  description: 'What opens a repository.',
  valuesConfig: {
    TOKEN: { description: 'A name and a token, over https.' },
    SSH_KEY: { description: 'A private key, with the host keys that are trusted.' },
  },
});

/** How often something was refused as it is declared. */
export interface Refusal {
  /** A hash of what was tried. */
  what: string;
  times: number;
  /** The same with what passes by itself. */
  tries?: number;
  message: string;
}

/** What a person asked for and the next look does. */
export interface WantedSync {
  prune: boolean;
  by: string;
  /** Which of the repository's `requests` it was. */
  request?: number;
  /** The commit that it was begun with, and is for. */
  commit?: string | null;
  /** How often it was tried. */
  tries?: number;
}

@Entity({ tableName: 'gitops_config' })
@Directive('@key(fields: "id")')
@ObjectType({ description: 'A branch of a git repository that declares what the tenant has.' })
export class GitOpsConfig {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @Field(() => ID, { description: 'Starts with `git_`.' })
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Field(() => String, { description: 'Its name, unique in the tenant without case.' })
  @Property({ type: 'text' })
  name!: string;

  @Field(() => String, { description: 'Where the repository is: https, http or ssh.' })
  @Property({ type: 'text' })
  repoUrl!: string;

  @Field(() => String, { description: 'The branch.' })
  @Property({ type: 'text' })
  branch!: string;

  @Field(() => String, {
    description: 'The folder that is read, with all below it; empty for the whole repository.',
  })
  @Property({ type: 'text' })
  path!: string;

  @Field(() => Boolean, { description: 'Whether new commits are put into force by themselves.' })
  @Property({ type: 'boolean' })
  autoSync!: boolean;

  @Field(() => Boolean, {
    description: 'Whether what was changed otherwise is set right by itself. Needs `autoSync`.',
  })
  @Property({ type: 'boolean' })
  selfHeal!: boolean;

  @Field(() => Boolean, {
    description:
      'Whether what came from the repository is removed once that declares it no more. Nothing is removed after the ' +
      'history of the branch was written anew (a force-push), nor by commits that declare nothing at all.',
  })
  @Property({ type: 'boolean' })
  prune!: boolean;

  @Field(() => Boolean, { description: 'Whether it is left alone.' })
  @Property({ type: 'boolean' })
  isPaused!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Why the panel itself paused it; null when it did not. Whoever takes it up again ends that.',
  })
  @Property({ type: 'text', nullable: true })
  pausedReason!: string | null;

  /** The grant under which a provider's user set it up, and when that ends at its time; null for what is the tenant's own. */
  @Property({ type: 'text', nullable: true })
  grantId!: string | null;

  @Property({ type: 'datetime', nullable: true })
  grantEndsAt!: Date | null;

  @Field(() => Int, {
    description: 'Seconds between two looks; up to half as many are added by chance, at most 60.',
  })
  @Property({ type: 'integer' })
  syncIntervalSeconds!: number;

  @Field(() => GitOpsCredentialKind, {
    nullable: true,
    description: 'What opens it; null where nothing is needed. The secret itself is never shown.',
  })
  @Property({ type: 'text', nullable: true })
  credentialKind!: GitOpsCredentialKind | null;

  @Property({ type: 'text', nullable: true })
  sealedCredential!: string | null;

  @Property({ type: 'text', nullable: true })
  sealedWebhookSecret!: string | null;

  @Field(() => GitOpsSyncStatus, { description: 'Whether what is declared is what there is.' })
  @Property({ type: 'text' })
  syncStatus!: GitOpsSyncStatus;

  @Field(() => GitOpsHealth, { description: 'How it goes.' })
  @Property({ type: 'text' })
  health!: GitOpsHealth;

  @Field(() => String, {
    nullable: true,
    description: 'The commit at the end of the branch at the last look.',
  })
  @Property({ type: 'text', nullable: true })
  lastSeenCommit!: string | null;

  /** The newest commit that could be read: `declared` is from it. */
  @Property({ type: 'text', nullable: true })
  declaredCommit!: string | null;

  @Property({ type: 'json' })
  declared!: Declared[];

  @Field(() => String, { nullable: true, description: 'The commit that is in force.' })
  @Property({ type: 'text', nullable: true })
  lastSyncedCommit!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When things were last put as it declares.' })
  @Property({ type: 'datetime', nullable: true })
  lastSyncedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it was last looked at.' })
  @Property({ type: 'datetime', nullable: true })
  lastCheckedAt!: Date | null;

  @Field(() => [GitOpsChange], {
    description: 'What stands between what there was at the last look and what is declared, at most 500.',
  })
  @Property({ type: 'json' })
  changes!: GitOpsChange[];

  @Field(() => [GitOpsProblem], { description: 'What is wrong, at most 50; empty where nothing is.' })
  @Property({ type: 'json' })
  problems!: Problem[];

  /** Whether the branch went elsewhere than forward, and things may have got lost by that. */
  @Property({ type: 'boolean' })
  isRewritten!: boolean;

  /** The commit of which nothing is left to be done but what is held back. */
  @Property({ type: 'text', nullable: true })
  appliedCommit!: string | null;

  /** What the panel refused, by what is declared. */
  @Property({ type: 'json' })
  refusals!: Record<string, Refusal>;

  /** Whether its host said nothing at the last look; null before the first. */
  @Property({ type: 'boolean', nullable: true })
  isHostSilent!: boolean | null;

  /** The look that is under way, and until when nobody else looks. */
  @Property({ type: 'text', nullable: true })
  lookingBy!: string | null;

  @Property({ type: 'datetime', nullable: true })
  lookingUntil!: Date | null;

  @Property({ type: 'integer' })
  requests!: number;

  @Property({ type: 'json', nullable: true })
  wantedSync!: WantedSync | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it is looked at next; null while it is paused.',
  })
  @Property({ type: 'datetime', nullable: true })
  nextCheckAt!: Date | null;

  @Field(() => String, { description: 'Who made it: the id of a user, an API key or a service.' })
  @Property({ type: 'text' })
  createdBy!: string;

  @Field(() => DateTime, { description: 'When it was made.' })
  @Property({ type: 'datetime' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When its settings were last changed.' })
  @Property({ type: 'datetime' })
  updatedAt!: Date;
}

@ObjectType({ description: 'One page of repositories.' })
export class GitOpsConfigPage extends pageOf(GitOpsConfig, 'GitOpsConfig') {}

@ObjectType({ description: 'A repository that is there no more.' })
export class RemovedGitOpsConfig {
  @Field(() => ID, { description: 'Starts with `git_`.' })
  id!: string;

  @Field(() => String, { description: 'What it was called.' })
  name!: string;
}
