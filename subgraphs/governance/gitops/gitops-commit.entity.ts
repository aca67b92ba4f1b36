import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { ArgsType, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import { GitOpsProblem } from './gitops-change.types.js';
import type { Problem } from './manifest/resource.js';

export enum GitOpsOutcome {
  SEEN = 'SEEN',
  SYNCED = 'SYNCED',
  FAILED = 'FAILED',
  REJECTED = 'REJECTED',
  PASSED = 'PASSED',
}

registerEnumType(GitOpsOutcome, {
  name: 'GitOpsOutcome',
  description: 'What came of a commit.',
  valuesConfig: {
    SEEN: { description: 'It could be read, and waits for somebody to put it into force.' },
    SYNCED: { description: 'It was put into force.' },
    FAILED: { description: 'Not all of it could be put into force.' },
    REJECTED: { description: 'It could not be read: what was in force before stays so.' },
    PASSED: { description: 'A later one came along with it, and was read in its place.' },
  },
});

@Entity({ tableName: 'gitops_commit' })
@ObjectType({ description: 'A commit, and what came of it.' })
export class GitOpsCommit {
  @PrimaryKey({ type: 'text' })
  tenantId!: string;

  @PrimaryKey({ type: 'text' })
  configId!: string;

  @Field(() => String, { description: 'Its hash.' })
  @PrimaryKey({ type: 'text' })
  sha!: string;

  @Field(() => String, { description: 'Who wrote it, as git tells.' })
  @Property({ type: 'text' })
  author!: string;

  @Field(() => String, { description: 'The first line of its message, at most 200 characters.' })
  @Property({ type: 'text' })
  subject!: string;

  @Field(() => DateTime, { description: 'When it was written, as git tells.' })
  @Property({ type: 'datetime' })
  authoredAt!: Date;

  @Field(() => DateTime, { description: 'When it was first seen.' })
  @Property({ type: 'datetime' })
  seenAt!: Date;

  @Field(() => GitOpsOutcome, { description: 'What came of it.' })
  @Property({ type: 'text' })
  outcome!: GitOpsOutcome;

  @Field(() => Int, { description: 'How many things were made, changed or removed for it.' })
  @Property({ type: 'integer' })
  changed!: number;

  @Field(() => DateTime, { nullable: true, description: 'When it was put into force.' })
  @Property({ type: 'datetime', nullable: true })
  syncedAt!: Date | null;

  @Field(() => [GitOpsProblem], { description: 'What was wrong with it.' })
  @Property({ type: 'json' })
  problems!: Problem[];
}

@ArgsType()
export class GitOpsCommitsArgs {
  @Field(() => Int, { defaultValue: 20, description: 'How many: 1 to 100.' })
  first!: number;

  @Field(() => ID, {
    nullable: true,
    description:
      'Those that came before this one, by its `sha`: the last of the page before; absent for the first page. None where it ' +
      'is not kept.',
  })
  after?: string | null;
}
