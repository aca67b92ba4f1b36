import { Field, ID, InputType } from 'type-graphql';
import { z } from 'zod';

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
}

export const updateInstanceRules = z.object({
  id: z.string(),
  name: z
    .string()
    .trim()
    .min(1, 'Name is required')
    .max(200, 'Name must have at most 200 characters')
    .nullish(),
  tags: z.array(tag).max(20, 'At most 20 tags').nullish(),
});
