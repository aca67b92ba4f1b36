import type { SqlEntityManager } from '#platform/database/database.js';
import { Plan } from '#platform/entitlement/plans.js';
import { ApiError } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import type { TenantCreated } from '#schema/events.js';

import { beginTrail } from '../audit/audit-head.service.js';
import type { AccountMail } from '../email/account-mail.js';
import { makeMailToken } from '../email/mail-tokens.js';
import { hashPassword } from '../password/password-hash.js';
import type { AuthPayload } from '../session/auth-payload.js';
import type { SessionTokens } from '../session/session-tokens.js';
import { Tenant } from '../tenant/tenant.entity.js';
import { emailTakenInstead } from '../user/email-taken.js';
import { User, UserRole } from '../user/user.entity.js';
import { RegistrationState } from './registration-state.js';
import { registerRules, type RegisterInput } from './registration.inputs.js';

/** For the set-up of a panel. */
export interface RegisterOptions {
  isAdministrator?: boolean;
  /** Runs first in the transaction; what it throws keeps the account from being made. */
  guard?: (em: SqlEntityManager) => Promise<void>;
}

/** Makes accounts. */
export class RegistrationService {
  constructor(
    private readonly tokens: SessionTokens,
    private readonly mail: AccountMail,
    private readonly keyring: Keyring,
    readonly state: RegistrationState,
  ) {}

  /** Makes a tenant and its owner, signed in, for whoever comes; where registration is closed, for nobody. */
  async register(operation: Operation, input: RegisterInput): Promise<AuthPayload> {
    if (this.state === RegistrationState.CLOSED) {
      throw new ApiError(
        'FORBIDDEN',
        'Registration is closed: ask whoever runs this panel for an invitation',
        {
          reason: 'REGISTRATION_CLOSED',
        },
      );
    }
    return this.make(operation, input);
  }

  /** The same, whether or not registration is open: for the set-up of a panel. */
  async make(
    operation: Operation,
    input: RegisterInput,
    options: RegisterOptions = {},
  ): Promise<AuthPayload> {
    const { email, password, name, company } = validate(registerRules, input);
    const passwordHash = await hashPassword(password);
    const now = operation.clock.now();
    const tenant = Object.assign(new Tenant(), {
      id: newId('tenant'),
      name: company ?? name,
      plan: Plan.FREE,
      planVersion: 0,
      createdAt: now,
    });
    const user = Object.assign(new User(), {
      tenantId: tenant.id,
      id: newId('user'),
      email,
      name,
      role: UserRole.OWNER,
      passwordHash,
      isAdministrator: options.isAdministrator ?? false,
      emailVerifiedAt: null,
      totpConfirmedAt: null,
      createdAt: now,
      updatedAt: now,
    });
    return emailTakenInstead(() =>
      operation.write(async (write) => {
        await options.guard?.(write.em);
        // Entities refer to each other by id only, so the order of the inserts is ours to keep.
        await write.em.persist(tenant).flush();
        await beginTrail(write.em, this.keyring, tenant.id);
        await write.em.persist(user).flush();
        write.publish({
          topic: 'identity.tenant.created',
          tenantId: tenant.id,
          entityId: tenant.id,
          payload: { tenantId: tenant.id, name: tenant.name, plan: tenant.plan } satisfies TenantCreated,
        });
        write.audit({ target: user.id, actor: user.id, actorKind: 'user' });
        this.mail.verification(write, user, await makeMailToken(write.em, user, 'EMAIL_VERIFICATION', now));
        return this.tokens.open(operation, write, user);
      }, tenant.id),
    );
  }
}
