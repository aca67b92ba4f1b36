import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { z } from 'zod';

import { DateTime } from '#platform/subgraph/scalars.js';

export enum PodPhase {
  PENDING = 'PENDING',
  RUNNING = 'RUNNING',
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
  UNKNOWN = 'UNKNOWN',
}

registerEnumType(PodPhase, {
  name: 'PodPhase',
  description: 'How far a pod is, in the words of Kubernetes.',
  valuesConfig: {
    PENDING: { description: 'It has no node yet, or its containers have yet to start.' },
    RUNNING: { description: 'A container has started, which says nothing of whether it is well.' },
    SUCCEEDED: { description: 'All containers have ended, and well.' },
    FAILED: { description: 'All containers have ended, one of them not well.' },
    UNKNOWN: { description: 'Its node does not tell, or it is a word that the panel does not know.' },
  },
});

@ObjectType({ description: 'A pod of a deployment, as its cluster told a moment ago.' })
export class Pod {
  @Field(() => String, { description: 'Its name, unique in the namespace.' })
  name!: string;

  @Field(() => PodPhase, { description: 'How far it is.' })
  phase!: PodPhase;

  @Field(() => Boolean, { description: 'Whether it takes requests.' })
  isReady!: boolean;

  @Field(() => Boolean, { description: 'Whether it is being taken away.' })
  isEnding!: boolean;

  @Field(() => Int, { description: 'How often its containers were started anew, all together.' })
  restarts!: number;

  @Field(() => String, {
    nullable: true,
    description:
      'Why it is not ready, in the word of Kubernetes: `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`, `Evicted`; null where ' +
      'there is nothing to tell.',
  })
  reason!: string | null;

  @Field(() => String, { nullable: true, description: 'The same for people, as the cluster says it.' })
  message!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Why a container of it ended last, in the word of Kubernetes: `OOMKilled`, `Error`; null where none has.',
  })
  lastExitReason!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'The exit code of that container; null where none has ended.',
  })
  lastExitCode!: number | null;

  @Field(() => [String], {
    description: 'The names of its containers, those that run before the others first.',
  })
  containers!: string[];

  @Field(() => String, { nullable: true, description: 'Its node in the cluster; null before it has one.' })
  node!: string | null;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;
}

@ObjectType({ description: 'The last lines that a container has written.' })
export class PodLog {
  @Field(() => String, {
    description: 'The lines, oldest first, each with its line break. Empty where it has written nothing.',
  })
  text!: string;

  @Field(() => Boolean, {
    description: 'Whether they are cut at 256 kB, so that the newest are missing: ask for fewer lines.',
  })
  isCut!: boolean;
}

export const defaultLines = 200;
const mostLines = 2_000;

@InputType({ description: 'Which log, and how much of it.' })
export class PodLogInput {
  @Field(() => ID, { description: 'The deployment.' })
  deploymentId!: string;

  @Field(() => String, { description: 'The pod, by `Pod.name`.' })
  pod!: string;

  @Field(() => String, {
    nullable: true,
    description: 'One of `Pod.containers`; its first own one unless told.',
  })
  container?: string | null;

  @Field(() => Int, { nullable: true, description: `1 to ${mostLines}; ${defaultLines} unless told.` })
  lines?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether those of the container before it was started anew are asked for. Not unless told.',
  })
  previous?: boolean | null;
}

const name = (what: string) =>
  z
    .string()
    .regex(
      /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
      `${what} must have 1 to 253 lower-case letters, digits, dots and hyphens`,
    );

export const podLogRules = z.object({
  deploymentId: z.string(),
  pod: name('Pod'),
  container: name('Container').nullish(),
  lines: z
    .number()
    .min(1, `Lines must be from 1 to ${mostLines}`)
    .max(mostLines, `Lines must be from 1 to ${mostLines}`)
    .nullish(),
  previous: z.boolean().nullish(),
});
