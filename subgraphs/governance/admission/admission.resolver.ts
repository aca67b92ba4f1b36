import { Arg, Authorized, Ctx, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import type { AdmissionService } from './admission.service.js';
import { AdmissionAnswer, AdmissionInput } from './admission.types.js';

@Resolver()
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
  ): Promise<AdmissionAnswer> {
    return this.service.ask(operation, input);
  }
}
