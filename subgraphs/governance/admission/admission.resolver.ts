import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Authorized, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';
import { selectedFields } from '#platform/subgraph/selected-fields.js';

import type { AdmissionService } from './admission.service.js';
import { AdmissionAnswer, AdmissionCanary, AdmissionInput } from './admission.types.js';

@Resolver(() => AdmissionAnswer)
export class AdmissionResolver {
  constructor(private readonly service: AdmissionService) {}

  @Authorized('governance.admission.ask')
  @Query(() => AdmissionAnswer, {
    description:
      "Whether something may be done, for the panel's own services. What is unknown of an instance refuses nothing. " +
      'VALIDATION_FAILED.',
  })
  async admission(
    @Arg('input', () => AdmissionInput, { description: 'What is about to be done.' }) input: AdmissionInput,
    @Ctx() { operation }: SubgraphContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<AdmissionAnswer> {
    const asked = selectedFields(info, []);
    return this.service.ask(operation, input, asked.has('refusers') || asked.has('refusedInstanceIds'));
  }

  @FieldResolver(() => [AdmissionCanary], {
    description: 'The canaries under way that some of the instances are in, at most 100.',
  })
  async canaries(
    @Root() { instanceIds }: AdmissionAnswer,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AdmissionCanary[]> {
    return this.service.canaries(operation, instanceIds);
  }
}
