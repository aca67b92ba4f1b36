import { advisoryLock } from '#platform/database/advisory-lock.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import { Plan } from '#platform/entitlement/plans.js';
import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import type { TenantCreated } from '#schema/events.js';

import { beginTrail } from '../audit/audit-head.service.js';
import type { OwnerInvitations } from '../msp/owner-invitation.job.js';
import { countingInvitation } from '../throttle/throttle.js';
import { emailTaken } from '../user/email-taken.js';
import { Tenant } from './tenant.entity.js';
import { createTenantRules, type CreateTenantInput } from './tenant.inputs.js';

/** Tenants that the platform's administrators make, also where registration is closed. */
export class InvitedTenants {
  constructor(
    private readonly owners: OwnerInvitations,
    private readonly keyring: Keyring,
  ) {}

  /** Made again while nobody has joined it, the tenant is the one that is there, and its owner is invited anew. */
  async create(operation: Operation, input: CreateTenantInput): Promise<Tenant> {
    const { userId } = operation.requireUser();
    const { name, ownerEmail } = validate(createTenantRules, input);
    const find = async (em: SqlEntityManager): Promise<string | undefined> => {
      const [found] = await em.execute<{ id: string }[]>(
        'select id from identity.find_invited_tenant(?, ?, ?)',
        [userId, name, ownerEmail],
      );
      return found?.id;
    };
    const anybody = operation.database.anonymous();
    const taken = await anybody.execute<unknown[]>('select 1 from identity.find_user_by_email(?)', [
      ownerEmail,
    ]);
    if (taken.length > 0) throw emailTaken();
    const make = async (known: string | undefined) => {
      const id = known ?? newId('tenant');
      return operation.write(async (write) => {
        const now = operation.clock.now();
        await advisoryLock(write.em, 'identity.invited-tenant', ownerEmail.toLowerCase());
        if (known === undefined) {
          const there = await find(write.em);
          if (there !== undefined) throw new MadeMeanwhile(there);
          const made = { id, name, plan: Plan.FREE, planVersion: 0, createdAt: now };
          await write.em.persist(Object.assign(new Tenant(), made)).flush();
          await beginTrail(write.em, this.keyring, id);
          write.publish({
            topic: 'identity.tenant.created',
            tenantId: id,
            entityId: id,
            payload: { tenantId: id, name, plan: Plan.FREE } satisfies TenantCreated,
          });
        }
        write.audit({ target: id, changes: { name, invitedOwner: ownerEmail } });
        const owner = {
          tenantId: id,
          providerId: id,
          tenantName: name,
          email: ownerEmail,
          invitedBy: userId,
        };
        // Somebody has joined meanwhile.
        if (!(await this.owners.invite({ ...write, now }, owner))) throw emailTaken();
        return write.em.findOneOrFail(Tenant, { id });
      }, id);
    };
    return countingInvitation(operation, ownerEmail, async () =>
      make(await find(anybody)).catch(async (error: unknown) => {
        if (error instanceof MadeMeanwhile) return make(error.id);
        throw error;
      }),
    );
  }
}

/** A call at the same time was first: a transaction is of one tenant, so this one is begun anew for the other's. */
class MadeMeanwhile extends Error {
  constructor(readonly id: string) {
    super('the tenant was made meanwhile');
  }
}
