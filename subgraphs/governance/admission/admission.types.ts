import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { z } from 'zod';

import { JsonObject } from '#platform/subgraph/scalars.js';

import { PolicyEvidence } from '../result/result.entity.js';

@InputType({ description: 'Something that is about to be done.' })
export class AdmissionInput {
  @Field(() => String, {
    description: 'What: `command.update`, `server.provision`, ... The fact `action.kind`.',
  })
  action!: string;

  @Field(() => [ID], {
    nullable: true,
    description: 'To which instances, at most 10000; none where it makes a new one.',
  })
  instanceIds?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Of a new instance: the tags that it will have.' })
  tags?: string[] | null;

  @Field(() => JsonObject, {
    nullable: true,
    description: 'What will be so afterwards, by the paths of facts: `{"cloud_os.version": "0.3.0"}`.',
  })
  facts?: Record<string, unknown> | null;

  @Field(() => Boolean, {
    description:
      'Whether it changes what runs there. Then an instance on which a mandatory policy does not hold is refused it, unless ' +
      'that mends it; otherwise only policies about actions, or about `facts`, are asked.',
  })
  isChange!: boolean;
}

export const admissionRules = z.object({
  action: z
    .string()
    .regex(/^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$/, 'Action must be words with dots between, as command.update')
    .max(100, 'Action must have at most 100 characters'),
  instanceIds: z.array(z.string()).max(10_000, 'At most 10000 instances').nullish(),
  tags: z.array(z.string()).max(100, 'At most 100 tags').nullish(),
  facts: z.record(z.string(), z.unknown()).nullish(),
  isChange: z.boolean(),
});

@ObjectType({ description: 'A mandatory policy that does not let something be done.' })
export class AdmissionRefusal {
  @Field(() => ID, { description: 'The policy.' })
  policyId!: string;

  @Field(() => String, { description: 'Its name.' })
  policyName!: string;

  @Field(() => String, { nullable: true, description: 'What to do about it, as the policy says.' })
  resolution!: string | null;

  @Field(() => ID, { nullable: true, description: 'Where; null of a new instance.' })
  instanceId!: string | null;

  @Field(() => PolicyEvidence, { description: 'The comparison that decided.' })
  evidence!: PolicyEvidence;
}

@ObjectType({ description: 'Whether something may be done.' })
export class AdmissionAnswer {
  @Field(() => Boolean, { description: 'Whether no mandatory policy refuses it.' })
  isAdmitted!: boolean;

  @Field(() => [AdmissionRefusal], { description: 'Why not: the first 100.' })
  refusals!: AdmissionRefusal[];
}
