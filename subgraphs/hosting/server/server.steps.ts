import { Field, ObjectType } from 'type-graphql';

import { DateTime } from '#platform/subgraph/scalars.js';

import { ServerPhase } from './server.phases.js';

/** A server that is lost and found again, time and again, does not grow. */
const kept = 50;

@ObjectType({ description: 'A phase that a server came to.' })
export class ServerStep {
  @Field(() => ServerPhase, { description: 'The phase.' })
  phase!: ServerPhase;

  @Field(() => DateTime, { description: 'When it came to it.' })
  at!: Date;

  @Field(() => String, { nullable: true, description: 'Why, for people; null when all was well.' })
  message!: string | null;
}

/** A step as it is stored. */
export interface KeptStep extends Omit<ServerStep, 'at'> {
  at: string;
}

export function withStep(steps: readonly KeptStep[], { phase, at, message }: ServerStep): KeptStep[] {
  return [...steps, { phase, at: at.toISOString(), message }].slice(-kept);
}

export function toStep({ at, ...step }: KeptStep): ServerStep {
  return { ...step, at: new Date(at) };
}
