import { ApiError } from '#platform/errors.js';
import { sha256 } from '#platform/secrets/random-token.js';
import type { Operation } from '#platform/subgraph/operation.js';

import type { RegisterInput } from '../registration/registration.inputs.js';
import type { RegistrationService } from '../registration/registration.service.js';
import type { AuthPayload } from '../session/auth-payload.js';

/** Makes the first platform administrator, by the one-time link that the panel prints at its first start. */
export class SetupService {
  constructor(private readonly registrations: RegistrationService) {}

  async completeSetup(operation: Operation, token: string, account: RegisterInput): Promise<AuthPayload> {
    return this.registrations.make(operation, account, {
      isAdministrator: true,
      // In the account's own transaction: a link is used up exactly when the account exists.
      guard: async (em) => {
        const [answer] = await em.execute<{ used: boolean }[]>(
          'select identity.use_setup_link(?, ?) as used',
          [sha256(token), operation.clock.now().toISOString()],
        );
        if (answer?.used) return;
        throw new ApiError('UNAUTHENTICATED', 'The set-up link is not valid, has ended, or was used', {
          reason: 'SETUP_LINK_INVALID',
        });
      },
    });
  }
}
