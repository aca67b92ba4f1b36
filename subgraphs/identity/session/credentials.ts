import { ApiError } from '#platform/errors.js';
import { enqueue } from '#platform/jobs/enqueue.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { isPassword } from '../password/password-hash.js';
import { networkOf } from '../throttle/network.js';
import { admit, admitOrRefuse, making } from '../throttle/throttle.js';
import { normalEmail } from '../user/email-address.js';
import { User } from '../user/user.entity.js';
import { failedSignIn } from './failed-sign-in.js';
import { Session } from './session.entity.js';

/** No tenant has this id; looking in it costs as much as looking in a real one. */
export const nowhere = { tenant_id: 'org_none', id: 'usr_none' };

// How long a network stays familiar to an account that has signed in from it.
const familiarMs = 30 * 24 * 60 * 60_000;

/** Checks sign-in names and passwords. */
export class Credentials {
  /**
   * The user whose name and password these are. An unknown name, a wrong password and an account that is paused after
   * too many failures get the same UNAUTHENTICATED after the same work: two counters, three lookups, one hash. Only the
   * pause of a client address is told (RATE_LIMITED), as it says nothing about any account. A network that the account
   * has signed in from is judged by its own failures, so that strangers elsewhere cannot keep the owner out.
   */
  async check(operation: Operation, name: string, password: string): Promise<User> {
    const email = normalEmail(name);
    const network = networkOf(operation.request.clientAddress);
    const address = await admitOrRefuse(operation, 'address', network);
    let user: User | undefined;
    let blockedUntil: Date | undefined;
    const isIn = await making(address, 'PASSED', async () => {
      user = await this.find(operation, email);
      const account = await ((await isFamiliar(operation, user, network))
        ? admit(operation, 'familiar', familiarSubject(email, network))
        : admit(operation, 'account', email));
      blockedUntil = account.blockedUntil;
      return making(
        account,
        'FORGIVEN',
        async () => (await isPassword(password, user?.passwordHash)) && !account.blockedUntil,
      );
    });
    if (isIn && user) return user;
    await record(operation, user, blockedUntil);
    throw new ApiError('UNAUTHENTICATED', 'E-mail address or password is wrong', {
      reason: 'WRONG_CREDENTIALS',
    });
  }

  private async find(operation: Operation, email: string): Promise<User | undefined> {
    const [found = nowhere] = await operation.database
      .anonymous()
      .execute<(typeof nowhere)[]>('select * from identity.find_user_by_email(?)', [email]);
    const user = await operation.database
      .forTenant(found.tenant_id)
      .findOne(User, { tenantId: found.tenant_id, id: found.id });
    return user ?? undefined;
  }
}

/** Whether the user has signed in from the network lately; as dear for nobody. */
export async function isFamiliar(
  { database, clock }: Pick<Operation, 'database' | 'clock'>,
  user: Pick<User, 'tenantId' | 'id'> | undefined,
  network: string,
): Promise<boolean> {
  const { tenantId, id: userId } = user ?? { tenantId: nowhere.tenant_id, id: nowhere.id };
  const since = new Date(clock.now().getTime() - familiarMs);
  const known = { tenantId, userId, network, createdAt: { $gt: since } };
  return (await database.forTenant(tenantId).findOne(Session, known, { fields: ['id'] })) !== null;
}

/** What counts the failures of one sign-in name from one network. */
export function familiarSubject(email: string, network: string): string {
  return `${email} ${network}`;
}

/**
 * Asks for the failure to be told to whoever watches over the tenant, before the answer, so that no kill loses it; and
 * for unknown names as well, since the time must not tell. The job finds out whether there is anybody to tell.
 */
async function record(
  { database, request }: Operation,
  user: User | undefined,
  blockedUntil: Date | undefined,
): Promise<void> {
  const failure = {
    tenantId: user?.tenantId ?? nowhere.tenant_id,
    userId: user?.id ?? nowhere.id,
    clientAddress: request.clientAddress,
    pausedUntil: blockedUntil?.toISOString() ?? null,
  };
  await database
    .forTenant(failure.tenantId)
    .transactional(async (em) =>
      enqueue(em, database.area, failedSignIn, failure, { causedBy: request.requestId }),
    );
}
