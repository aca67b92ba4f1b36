import { Arg, Authorized, Ctx, Field, ID, Mutation, ObjectType, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { Policy } from '../policy/policy.entity.js';
import type { PackService } from './pack.service.js';
import { packs } from './packs.js';

@ObjectType({ description: 'Policies to begin with.' })
export class PolicyPack {
  @Field(() => ID, { description: 'What it is installed by.' })
  id!: string;

  @Field(() => String, { description: 'What it is called.' })
  name!: string;

  @Field(() => String, { description: 'What it is for.' })
  description!: string;

  @Field(() => [String], { description: 'The names of its policies.' })
  policyNames!: string[];
}

@Resolver()
export class PackResolver {
  constructor(private readonly service: PackService) {}

  @Authorized('governance.policy.read')
  @Query(() => [PolicyPack], { description: 'Policies to begin with, in packs.' })
  policyPacks(): PolicyPack[] {
    return packs.map(({ id, name, description, policies }) => ({
      id,
      name,
      description,
      policyNames: policies.map((policy) => policy.name),
    }));
  }

  @Authorized('governance.policy.manage')
  @Mutation(() => [Policy], {
    description:
      'Makes the policies of a pack for all instances, ADVISORY, and answers those that were made: one whose name there is ' +
      'already is left alone, so that the call may be repeated. NOT_FOUND, PLAN_REQUIRED, LIMIT_REACHED (POLICIES_LIMIT).',
  })
  async installPolicyPack(
    @Arg('id', () => ID, { description: 'The pack.' }) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<Policy[]> {
    return this.service.install(operation, id);
  }
}
