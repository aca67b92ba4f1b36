import { Field, ID, InputType, ObjectType } from 'type-graphql';

import { pageOf } from '#platform/subgraph/paging.js';

import { Instance } from './instance.entity.js';
import { InstanceStatus } from './instance.status.js';

/** As many as a policy or a group can name. */
export const mostIds = 1_000;

@InputType({ description: 'Narrows a list of instances; what is left out does not narrow.' })
export class InstanceFilter {
  @Field(() => InstanceStatus, { nullable: true, description: 'Only instances in this status now.' })
  status?: InstanceStatus | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only those whose name or host name contains this text, without case.',
  })
  q?: string | null;

  @Field(() => [String], { nullable: true, description: 'Only those that have all of these tags.' })
  tags?: string[] | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Only those that are in this group now; none when there is no such group.',
  })
  groupId?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description: `Only these, at most ${mostIds}; those that there are not are left out. VALIDATION_FAILED.`,
  })
  ids?: string[] | null;
}

@ObjectType({ description: 'One page of instances.' })
export class InstancePage extends pageOf(Instance, 'Instance') {}
