import { Field, ID, InputType } from 'type-graphql';
import { z } from 'zod';

import { DateTime } from '#platform/subgraph/scalars.js';

const tag = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._:-]{0,63}$/, 'A tag has 1 to 64 of a-z, 0-9, ".", "_", ":" and "-"');

@InputType({ description: 'What changes of an instance; what is left out stays.' })
export class UpdateInstanceInput {
  @Field(() => ID, { description: 'The instance.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The name shown to people; 1 to 200 characters.' })
  name?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'All of its tags from now on, at most 20; an empty list takes them away.',
  })
  tags?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Tags that it is given; the others stay. Not beside `tags`. An instance has at most 20.',
  })
  addTags?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Tags that are taken from it; the others stay. What it does not have is passed over. Not beside `tags`.',
  })
  removeTags?: string[] | null;
}

@InputType({ description: 'Narrows a list of former instances; what is left out does not narrow.' })
export class FormerInstanceFilter {
  @Field(() => DateTime, {
    nullable: true,
    description: 'Only those that were decommissioned at or after it.',
  })
  since?: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only those whose name or host name contains this text, without case.',
  })
  q?: string | null;
}

/** An instance has no more. */
export const mostTags = 20;
const tags = z.array(tag).max(mostTags, `At most ${mostTags} tags`).nullish();

export const updateInstanceRules = z
  .object({
    id: z.string(),
    name: z
      .string()
      .trim()
      .min(1, 'Name is required')
      .max(200, 'Name must have at most 200 characters')
      .nullish(),
    tags,
    addTags: tags,
    removeTags: tags,
  })
  .superRefine((input, context) => {
    const add = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    for (const field of ['addTags', 'removeTags'] as const)
      if (input.tags && input[field]) add(field, 'It is not beside tags, which says them all');
    const added = new Set(input.addTags);
    if (input.removeTags?.some((one) => added.has(one)))
      add('removeTags', 'A tag is either given or taken away');
  });
