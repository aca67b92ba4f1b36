import { Arg, Ctx, Field, InputType, Mutation, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { RegisterInput } from '../registration/registration.inputs.js';
import { AuthPayload } from '../session/auth-payload.js';
import type { SetupService } from './setup.service.js';

@InputType({ description: 'The set-up link and the first account.' })
export class CompleteSetupInput {
  @Field(() => String, { description: 'The token of the link that the panel printed at its first start.' })
  token!: string;

  @Field(() => RegisterInput, { description: 'The account of the administrator.' })
  account!: RegisterInput;
}

@Resolver()
export class SetupResolver {
  constructor(private readonly setup: SetupService) {}

  @Mutation(() => AuthPayload, {
    description:
      'Makes the first platform administrator, with a tenant, and signs in. Public; the link works once, for 24 hours, while there is ' +
      'no administrator. UNAUTHENTICATED (SETUP_LINK_INVALID).',
  })
  async completeSetup(
    @Arg('input', () => CompleteSetupInput, { description: 'The link and the administrator.' })
    input: CompleteSetupInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthPayload> {
    return this.setup.completeSetup(operation, input.token, input.account);
  }
}
