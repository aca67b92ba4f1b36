import { Field, ID, InputType } from 'type-graphql';
import { z } from 'zod';

@InputType({ description: 'Who is to lead.' })
export class FailOverInput {
  @Field(() => String, {
    nullable: true,
    description:
      'The name of a server of the database, where Patroni keeps it; or NODE_NAME, or the id, of a process of the panel. ' +
      'Chosen when absent: of the servers with Patroni, else of the processes. A call without it that is repeated ' +
      'within a minute after the server that was chosen leads is the same call: name a target to move on.',
  })
  target?: string | null;
}

export const failOverRules = z.object({
  target: z.string().min(1, 'must not be empty').max(200, 'must have at most 200 characters').nullish(),
});

@InputType({ description: 'What the panel is to be.' })
export class StartUpgradeInput {
  @Field(() => String, {
    description: 'The version that each process has to report once it was started anew.',
  })
  version!: string;
}

export const startUpgradeRules = z.object({
  version: z
    .string()
    .min(1, 'must not be empty')
    .max(100, 'must have at most 100 characters')
    .regex(/^[\w.+-]*$/, 'may have letters, digits, dots, hyphens, underscores and plus signs'),
});

@InputType({ description: 'Which upgrade is meant.' })
export class UpgradeInput {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;
}
