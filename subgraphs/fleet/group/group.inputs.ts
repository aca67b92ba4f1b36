import { Field, ID, InputType } from 'type-graphql';
import { z } from 'zod';

import { InstanceStatus } from '../instance/instance.status.js';
import { GroupKind } from './group.entity.js';

@InputType({ description: 'What instances have in common; at least one of these.' })
export class GroupFilterInput {
  @Field(() => [String], { nullable: true, description: 'They have all of these tags, at most 20.' })
  tags?: string[] | null;

  @Field(() => InstanceStatus, { nullable: true, description: 'They are in this status.' })
  status?: InstanceStatus | null;

  @Field(() => String, {
    nullable: true,
    description: 'Their name or host name contains this text, without case; at most 200 characters.',
  })
  q?: string | null;
}

@InputType({ description: 'A new group.' })
export class CreateInstanceGroupInput {
  @Field(() => String, { description: '1 to 200 characters, unique in the tenant without case.' })
  name!: string;

  @Field(() => GroupKind, { description: 'How it is decided who is in it.' })
  kind!: GroupKind;

  @Field(() => [ID], {
    nullable: true,
    description: 'Of a static group: who is in it, at most 1000.',
  })
  instanceIds?: string[] | null;

  @Field(() => GroupFilterInput, {
    nullable: true,
    description:
      'Of a live group: who is in it. Of a static one: whoever it matches now is put into it, at most 10000.',
  })
  filter?: GroupFilterInput | null;
}

@InputType({ description: 'What changes of a group; what is left out stays.' })
export class UpdateInstanceGroupInput {
  @Field(() => ID, { description: 'The group.' })
  id!: string;

  @Field(() => String, { nullable: true, description: '1 to 200 characters, unique in the tenant.' })
  name?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description: 'Of a static group: all who are in it from now on, at most 1000.',
  })
  instanceIds?: string[] | null;

  @Field(() => [ID], {
    nullable: true,
    description:
      'Of a static group: who is put into it, at most 1000; the others stay. Not beside `instanceIds`. A group has at most ' +
      '10000 instances.',
  })
  addInstanceIds?: string[] | null;

  @Field(() => [ID], {
    nullable: true,
    description:
      'Of a static group: who is taken out of it, at most 1000; the others stay. Whoever is not in it is passed over. Not ' +
      'beside `instanceIds`.',
  })
  removeInstanceIds?: string[] | null;

  @Field(() => GroupFilterInput, {
    nullable: true,
    description: 'Of a live group: who is in it from now on.',
  })
  filter?: GroupFilterInput | null;
}

const name = z.string().trim().min(1, 'Name is required').max(200, 'Name must have at most 200 characters');
const instanceIds = z.array(z.string()).max(1_000, 'At most 1000 instances').nullish();
const filter = z
  .object({
    tags: z
      .array(z.string().min(1, 'Tag is required').max(64, 'Tag must have at most 64 characters'))
      .max(20, 'At most 20 tags')
      .nullish(),
    status: z.enum(InstanceStatus).nullish(),
    q: z.string().trim().max(200, 'Text must have at most 200 characters').nullish(),
  })
  .refine(({ tags, status, q }) => tags?.length || status || q, 'Filter must have tags, a status or a text')
  .nullish();

export const createInstanceGroupRules = z
  .object({ name, kind: z.enum(GroupKind), instanceIds, filter })
  .superRefine((input, context) => {
    const add = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (input.kind === GroupKind.LIVE && !input.filter) add('filter', 'A live group needs a filter');
    if (input.kind === GroupKind.LIVE && input.instanceIds) {
      add('instanceIds', 'A live group has no instances of its own');
    }
    if (input.kind === GroupKind.STATIC && !input.filter === !input.instanceIds) {
      add('instanceIds', 'A static group takes either instances or a filter');
    }
  });

export const updateInstanceGroupRules = z
  .object({
    id: z.string(),
    name: name.nullish(),
    instanceIds,
    addInstanceIds: instanceIds,
    removeInstanceIds: instanceIds,
    filter,
  })
  .superRefine((input, context) => {
    const add = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    for (const field of ['addInstanceIds', 'removeInstanceIds'] as const)
      if (input.instanceIds && input[field]) add(field, 'It is not beside instanceIds, which says them all');
    const added = new Set(input.addInstanceIds);
    if (input.removeInstanceIds?.some((id) => added.has(id)))
      add('removeInstanceIds', 'An instance is either put in or taken out');
  });
