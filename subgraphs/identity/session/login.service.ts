import { LockMode } from '@mikro-orm/core';

import { ApiError } from '#platform/errors.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';

import { hashPassword, isOutdated, isPassword } from '../password/password-hash.js';
import type { TotpCodes } from '../totp/totp-codes.js';
import { User } from '../user/user.entity.js';
import type { AuthPayload } from './auth-payload.js';
import type { Credentials } from './credentials.js';
import { LoginChallenge } from './login-challenge.entity.js';
import type { SessionTokens } from './session-tokens.js';
import type { LoginInput } from './session.inputs.js';

const challengeSeconds = 300;

/** What a user who was let in gets: tokens, or for the authorize page a session alone. */
export type Opener<T> = (write: Write, user: User) => Promise<T>;

export interface Challenge {
  challengeToken: string;
  expiresIn: number;
}

/** Let in, or asked for a code. */
export type Entry<T> = { opened: T } | { challenge: Challenge };

/** Signs people in: a password, and where TOTP is on a code, at once or by a challenge. */
export class LoginService {
  constructor(
    private readonly credentials: Credentials,
    private readonly codes: TotpCodes,
    private readonly tokens: SessionTokens,
  ) {}

  async login(operation: Operation, input: LoginInput): Promise<AuthPayload> {
    const entry = await this.enter(operation, input, (write, user) =>
      this.tokens.open(operation, write, user),
    );
    if ('opened' in entry) return entry.opened;
    const nothing = { user: null, accessToken: null, refreshToken: null, tokenType: null };
    return { ...nothing, ...entry.challenge, totpRequired: true };
  }

  /** Lets a user in who has the password and, where TOTP is on, a code; without a code a challenge is the answer. */
  async enter<T>(operation: Operation, input: LoginInput, open: Opener<T>): Promise<Entry<T>> {
    const user = await this.credentials.check(operation, input.email, input.password);
    if (user.totpConfirmedAt && !input.totpCode) return { challenge: await this.challenge(operation, user) };
    if (user.totpConfirmedAt) await this.codes.use(operation, user, input.totpCode ?? '');
    const rehashed = (await isOutdated(user.passwordHash, input.password))
      ? await hashPassword(input.password)
      : undefined;
    const opened = await operation.write(async (write) => {
      const locked = await lockUser(write, user);
      // A second factor that was switched on meanwhile has not been asked for.
      if (!hasSameTotp(locked, user)) throw overtaken();
      // The password may have been changed since it was checked, and that change has ended all sessions.
      const isSame = locked.passwordHash === user.passwordHash;
      if (!isSame && !(await isPassword(input.password, locked.passwordHash))) throw overtaken();
      if (isSame && rehashed) locked.passwordHash = rehashed;
      write.audit({ target: user.id, actor: user.id, actorKind: 'user' });
      return open(write, locked);
    }, user.tenantId);
    return { opened };
  }

  /** The second step: the challenge that `enter` gave, and a code. The challenge works once. */
  async answer<T>(operation: Operation, challengeToken: string, code: string, open: Opener<T>): Promise<T> {
    const tokenHash = sha256(challengeToken);
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string; user_id: string }[]>('select * from identity.find_login_challenge(?)', [
        tokenHash,
      ]);
    if (!found) throw challengeRefused();
    const tenantId = found.tenant_id;
    const em = operation.database.forTenant(tenantId);
    const live = { tenantId, tokenHash, usedAt: null, expiresAt: { $gt: operation.clock.now() } };
    const challenge = await em.findOne(LoginChallenge, live);
    const user = await em.findOne(User, { tenantId, id: found.user_id });
    // Without TOTP there is nothing to answer by: a secret that is not in force yet proves nothing.
    if (!challenge || !user?.totpConfirmedAt) throw challengeRefused();
    await this.codes.use(operation, user, code);
    return operation.write(async (write) => {
      const locked = await lockUser(write, user);
      const used = await write.em.nativeUpdate(LoginChallenge, live, { usedAt: operation.clock.now() });
      if (used === 0) throw challengeRefused();
      if (locked.passwordHash !== user.passwordHash || !hasSameTotp(locked, user)) throw overtaken();
      write.audit({ target: user.id, actor: user.id, actorKind: 'user' });
      return open(write, locked);
    }, tenantId);
  }

  private async challenge(operation: Operation, user: User): Promise<Challenge> {
    const challengeToken = randomToken();
    const now = operation.clock.now();
    await operation.write(async (write) => {
      // A change of the password ends open challenges; one that is made just after it must not live on.
      const locked = await lockUser(write, user);
      if (locked.passwordHash !== user.passwordHash || !hasSameTotp(locked, user)) throw overtaken();
      // Nobody has signed in by a password alone.
      write.audit({ action: 'loginChallenge', target: user.id, actor: user.id, actorKind: 'user' });
      write.em.persist(
        Object.assign(new LoginChallenge(), {
          tenantId: user.tenantId,
          tokenHash: sha256(challengeToken),
          userId: user.id,
          createdAt: now,
          expiresAt: new Date(now.getTime() + challengeSeconds * 1000),
          usedAt: null,
        }),
      );
    }, user.tenantId);
    return { challengeToken, expiresIn: challengeSeconds };
  }
}

async function lockUser(write: Write, user: User): Promise<User> {
  const key = { tenantId: user.tenantId, id: user.id };
  return write.em.findOneOrFail(User, key, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

function hasSameTotp(locked: User, checked: User): boolean {
  return locked.totpConfirmedAt?.getTime() === checked.totpConfirmedAt?.getTime();
}

function overtaken(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'E-mail address or password is wrong', {
    reason: 'WRONG_CREDENTIALS',
  });
}

function challengeRefused(): ApiError {
  return new ApiError(
    'UNAUTHENTICATED',
    'The challenge is not valid, has ended, or was used; sign in again',
    {
      reason: 'CHALLENGE_INVALID',
    },
  );
}
