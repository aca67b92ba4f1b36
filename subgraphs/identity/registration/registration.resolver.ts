import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';

import type { SubgraphContext } from '#platform/subgraph/build.js';

import { AuthPayload } from '../session/auth-payload.js';
import { RegistrationState } from './registration-state.js';
import { RegisterInput } from './registration.inputs.js';
import type { RegistrationService } from './registration.service.js';

@Resolver()
export class RegistrationResolver {
  constructor(private readonly registrations: RegistrationService) {}

  @Query(() => RegistrationState, {
    description:
      'Whether anybody may make an organization here. Public: pages ask before anybody is signed in.',
  })
  registration(): RegistrationState {
    return this.registrations.state;
  }

  @Mutation(() => AuthPayload, {
    description:
      'Makes a tenant with its owner and signs the owner in. Public. CONFLICT (EMAIL_TAKEN), FORBIDDEN ' +
      '(REGISTRATION_CLOSED) where `registration` is CLOSED.',
  })
  async register(
    @Arg('input', () => RegisterInput, { description: 'The owner and the organization.' })
    input: RegisterInput,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<AuthPayload> {
    return this.registrations.register(operation, input);
  }
}
