import { ArgsType, Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';
import { DateTime } from '#platform/subgraph/scalars.js';

export const formula =
  'Each policy weighs by its severity: critical 10, high 7.5, medium 5, low 2.5. A score is 100 times the weight of what holds ' +
  'over the weight of what is known, rounded down; so it is 100 only where all holds. What is unknown or exempt is in neither.';

@ObjectType({ description: `What a score is made of. ${formula}` })
export class ScoreInputs {
  @Field(() => Float, { description: 'The weight of the policies that hold.' })
  passedWeight!: number;

  @Field(() => Float, { description: 'The weight of those that hold or do not.' })
  knownWeight!: number;

  @Field(() => Float, { description: 'The weight of those that apply and are no exemption, known or not.' })
  applicableWeight!: number;
}

@ObjectType({ description: 'How far policies hold on one instance.' })
@Directive('@key(fields: "instanceId")')
export class InstanceScore {
  @Field(() => ID, { description: 'The instance.' })
  instanceId!: string;

  @Field(() => Int, { nullable: true, description: '0 to 100; null when nothing is known.' })
  score!: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'What it was before it, or the number of violations, last became another; null when nothing was known then.',
  })
  previousScore!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How much of what applies is known, 0 to 100, rounded down; null when nothing applies.',
  })
  coverage!: number | null;

  @Field(() => Int, { description: 'How many policies do not hold.' })
  violations!: number;

  @Field(() => ScoreInputs, { description: 'What the score is made of.' })
  inputs!: ScoreInputs;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was last judged; null before the first time.',
  })
  evaluatedAt!: Date | null;
}

@ObjectType({ description: 'One page of the scores of instances.' })
export class InstanceScorePage extends pageOf(InstanceScore, 'InstanceScore') {}

@ObjectType({ description: 'How far policies hold on one Kubernetes cluster.' })
@Directive('@key(fields: "clusterId")')
export class ClusterScore {
  @Field(() => ID, { description: 'The cluster.' })
  clusterId!: string;

  @Field(() => Int, { nullable: true, description: '0 to 100; null when nothing is known.' })
  score!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How much of what applies is known, 0 to 100, rounded down; null when nothing applies.',
  })
  coverage!: number | null;

  @Field(() => Int, { description: 'How many policies do not hold.' })
  violations!: number;

  @Field(() => ScoreInputs, { description: 'What the score is made of.' })
  inputs!: ScoreInputs;

  @Field(() => DateTime, { nullable: true, description: 'When it was last judged.' })
  evaluatedAt!: Date | null;
}

@ObjectType({ description: "How far policies hold on the tenant's instances and clusters." })
export class Scores {
  @Field(() => Int, {
    nullable: true,
    description:
      "The same formula over the sums of all instances' and clusters' inputs: the mean of their scores, each weighted by what " +
      'is known of it. Null when nothing is known, as without policies.',
  })
  overallScore!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How much of what applies is known, 0 to 100, rounded down; null when nothing applies.',
  })
  coverage!: number | null;

  @Field(() => Int, { description: 'How many policies do not hold, over all instances and clusters.' })
  violations!: number;

  @Field(() => Int, { description: 'How many instances there are.' })
  instances!: number;

  @Field(() => Int, { description: 'How many Kubernetes clusters there are.' })
  clusters!: number;

  @Field(() => ScoreInputs, { description: 'What the overall score is made of.' })
  inputs!: ScoreInputs;
}

export const mostScores = 10_000;

@ArgsType()
export class ByInstanceArgs {
  @Field(() => Int, { nullable: true, description: `How many, 1 to ${mostScores}; 500 unless told.` })
  first?: number | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Those after this instance, the last one of the page before; absent for the first page.',
  })
  after?: string | null;
}

@ObjectType({ description: 'The score as it was at the end of a day (UTC), or is so far today.' })
export class ScoreDay {
  @Field(() => String, { description: 'The day, as `2026-01-31`.' })
  day!: string;

  @Field(() => Int, { nullable: true, description: '0 to 100; null when nothing was known.' })
  score!: number | null;

  @Field(() => Int, { nullable: true, description: 'How much of what applied was known, 0 to 100.' })
  coverage!: number | null;

  @Field(() => Int, { description: 'How many policies did not hold, over all instances.' })
  violations!: number;

  @Field(() => Int, { description: 'How many instances there were.' })
  instances!: number;

  @Field(() => ScoreInputs, { description: 'What the score was made of.' })
  inputs!: ScoreInputs;
}
