import { Field, ObjectType } from 'type-graphql';

@ObjectType({ description: 'Something that a node reported and that could not be taken as it came.' })
export class InputWarning {
  @Field(() => String, { description: 'Its path in the input: `cpuPercent`, `health.0.message`.' })
  field!: string;

  @Field(() => String, { description: 'The same as REST spells it: `cpu_percent`.' })
  restField!: string;

  @Field(() => String, {
    description: 'What is wrong with it, and what became of it: a sentence for people.',
  })
  message!: string;
}

export const unknownFieldsDescription =
  'Names of fields beside these, as a newer program may send: they are ignored, and told in the warnings. REST puts ' +
  'them here; GraphQL takes no other fields.';
