import { Field, ID, InputType, Int } from 'type-graphql';
import { z } from 'zod';

import { idempotencyKeyText } from '#platform/idempotency/idempotency-keys.js';

const takesOverText = 'Whether fields are taken from others who own them; they are not unless told.';

@InputType({ description: 'A deployment that is to be restarted.' })
export class RestartDeploymentInput {
  @Field(() => ID, { description: 'The deployment.' })
  id!: string;

  @Field(() => Boolean, { nullable: true, description: takesOverText })
  takesOver?: boolean | null;

  @Field(() => String, { nullable: true, description: idempotencyKeyText })
  idempotencyKey?: string | null;
}

export const restartDeploymentRules = z.object({ id: z.string(), takesOver: z.boolean().nullish() });

@InputType({ description: 'A deployment that is to be as it was.' })
export class RollBackDeploymentInput {
  @Field(() => ID, { description: 'The deployment.' })
  id!: string;

  @Field(() => Int, { description: 'One of its revisions, by `DeploymentRevision.revision`.' })
  toRevision!: number;

  @Field(() => Boolean, { nullable: true, description: takesOverText })
  takesOver?: boolean | null;
}

export const rollBackDeploymentRules = z.object({
  id: z.string(),
  toRevision: z.number().min(1, 'Revisions are counted from 1 on'),
  takesOver: z.boolean().nullish(),
});
