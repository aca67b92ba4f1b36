import { Field, ID, ObjectType } from 'type-graphql';

import { JsonObject } from '#platform/subgraph/scalars.js';

import { CommandKind } from './command.kinds.js';

@ObjectType({ description: 'Something that the node is to do.' })
export class NodeCommand {
  @Field(() => ID, {
    description:
      'Starts with `cmd_`. It may come more than once, until the node has reported that it has begun; by the id it ' +
      'knows one that it has already.',
  })
  id!: string;

  @Field(() => CommandKind, { description: 'The kind of command.' })
  command!: CommandKind;

  @Field(() => JsonObject, { description: 'What the kind of command takes.' })
  params!: Record<string, unknown>;

  @Field(() => String, { description: 'Goes with every report about it: the proof that it was handed out.' })
  lease!: string;
}
