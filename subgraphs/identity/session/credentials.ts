import type { BackgroundWork } from '#platform/background-work.js';
import { ApiError } from '#platform/errors.js';
import { appendToOutbox } from '#platform/outbox/outbox.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { isPassword } from '../password/password-hash.js';
import { securityEvent } from '../security/security-event.js';
import { networkOf } from '../throttle/network.js';
import { admit, admitOrRefuse, making } from '../throttle/throttle.js';
import { User } from '../user/user.entity.js';
import { Session } from './session.entity.js';

/** No tenant has this id; looking in it costs as much as looking in a real one. */
export const nowhere = { tenant_id: 'org_none', id: 'usr_none' };

// How long a network stays familiar to an account that has signed in from it.
const familiarMs = 30 * 24 * 60 * 60_000;

/** Checks sign-in names and passwords. */
export class Credentials {
  constructor(private readonly background: BackgroundWork) {}

  /**
   * The user whose name and password these are. An unknown name, a wrong password and an account that is paused after
   * too many failures get the same UNAUTHENTICATED after the same work: two counters, three lookups, one hash. Only the
   * pause of a client address is told (RATE_LIMITED), as it says nothing about any account. A network that the account
   * has signed in from is judged by its own failures, so that strangers elsewhere cannot keep the owner out.
   */
  async check(operation: Operation, email: string, password: string): Promise<User> {
    const network = networkOf(operation.request.clientAddress);
    const address = await admitOrRefuse(operation, 'address', network);
    let user: User | undefined;
    let blockedUntil: Date | undefined;
    const isIn = await making(address, 'PASSED', async () => {
      user = await this.find(operation, email);
      const isFamiliar = await this.isFamiliar(operation, user, network);
      const account = await (isFamiliar
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
    // After the answer, whose time must not tell; and for unknown names as well, so that the next one's doesn't either.
    this.background.run('recording a failed sign-in', () => record(operation, user, blockedUntil));
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

  private async isFamiliar(operation: Operation, user: User | undefined, network: string): Promise<boolean> {
    const { tenant_id: tenantId, id: userId } = user ? { tenant_id: user.tenantId, id: user.id } : nowhere;
    const since = new Date(operation.clock.now().getTime() - familiarMs);
    const known = { tenantId, userId, network, createdAt: { $gt: since } };
    return (await operation.database.forTenant(tenantId).count(Session, known)) > 0;
  }
}

/** What counts the failures of one sign-in name from one network. */
export function familiarSubject(email: string, network: string): string {
  return `${email} ${network}`;
}

/** For an unknown name there is no tenant to tell: the same work is done and undone. */
async function record(
  operation: Operation,
  user: User | undefined,
  blockedUntil: Date | undefined,
): Promise<void> {
  const { database, request, clock } = operation;
  const tenantId = user?.tenantId ?? nowhere.tenant_id;
  const event = securityEvent(operation, tenantId, {
    action: blockedUntil ? 'authn_login_lock' : 'authn_login_fail',
    userId: user?.id ?? nowhere.id,
    reason: blockedUntil ? `paused until ${blockedUntil.toISOString()}` : 'wrong password',
  });
  try {
    await database.forTenant(tenantId).transactional(async (em) => {
      await appendToOutbox(em, database.area, [event], { requestId: request.requestId, at: clock.now() });
      if (!user) throw new Undone();
    });
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
  }
}

/** Ends a transaction without a trace. */
class Undone extends Error {
  override readonly name = 'Undone';
}
