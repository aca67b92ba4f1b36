import { createHash, randomBytes } from 'node:crypto';

import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core';

import { signToken } from '#platform/auth/tokens.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import type { Role } from '#platform/viewer.js';
import type { SessionRevoked, TenantCreated } from '#schema/events.js';

import type { SigningKeyService } from '../signing-key/signing-key.service.js';
import { Plan, Tenant } from '../tenant/tenant.entity.js';
import { User, UserRole } from '../user/user.entity.js';
import { hashPassword, isPassword } from './password.js';
import { RefreshToken, Session } from './session.entity.js';
import {
  registerRules,
  type AuthPayload,
  type LoginInput,
  type RefreshSessionInput,
  type RegisterInput,
} from './session.inputs.js';

const day = 24 * 60 * 60 * 1000;
const accessSeconds = 15 * 60;
const refreshIdleMs = 14 * day;
const sessionMaxMs = 90 * day;

/** For the set-up of a panel. */
export interface RegisterOptions {
  isAdministrator?: boolean;
  /** Runs first in the transaction; what it throws keeps the account from being made. */
  guard?: (em: SqlEntityManager) => Promise<void>;
}

/** Signs people in and keeps their sessions. */
export class SessionService {
  constructor(
    private readonly keys: SigningKeyService,
    private readonly issuer: string,
  ) {}

  /** Makes a tenant and its owner, signed in. */
  async register(
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
      totpConfirmedAt: null,
      createdAt: now,
      updatedAt: now,
    });
    try {
      return await operation.write(async (write) => {
        await options.guard?.(write.em);
        // Entities refer to each other by id only, so the order of the inserts is ours to keep.
        await write.em.persist(tenant).flush();
        await write.em.persist(user).flush();
        write.publish({
          topic: 'identity.tenant.created',
          tenantId: tenant.id,
          entityId: tenant.id,
          payload: { tenantId: tenant.id, name: tenant.name, plan: tenant.plan } satisfies TenantCreated,
        });
        write.audit({ target: user.id, actor: user.id, actorKind: 'user' });
        return this.open(operation, write, user);
      }, tenant.id);
    } catch (error) {
      if (!(error instanceof UniqueConstraintViolationException)) throw error;
      throw new ApiError('CONFLICT', 'An account with this e-mail address exists', { reason: 'EMAIL_TAKEN' });
    }
  }

  /** One answer for an unknown user and for a wrong password, in the same time. */
  async login(operation: Operation, input: LoginInput): Promise<AuthPayload> {
    const user = await this.findByEmail(operation, input.email);
    if (!(await isPassword(input.password, user?.passwordHash)) || !user) {
      throw new ApiError('UNAUTHENTICATED', 'E-mail address or password is wrong', {
        reason: 'WRONG_CREDENTIALS',
      });
    }
    return operation.write(async (write) => {
      write.audit({ target: user.id, actor: user.id, actorKind: 'user' });
      return this.open(operation, write, user);
    }, user.tenantId);
  }

  /** Trades the newest refresh token for a new pair. A token that was traded before ends the whole session. */
  async refresh(operation: Operation, { refreshToken }: RefreshSessionInput): Promise<AuthPayload> {
    const tokenHash = sha256(refreshToken);
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string }[]>('select * from identity.find_session_by_refresh_token(?)', [
        tokenHash,
      ]);
    if (!found) throw refused();
    // The end of a session must outlast the refusal, so it is committed and only then thrown.
    const outcome = await operation.write(async (write) => {
      const now = operation.clock.now();
      const key = { tenantId: found.tenant_id };
      const token = await write.em.findOneOrFail(
        RefreshToken,
        { ...key, tokenHash },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      const session = await write.em.findOneOrFail(
        Session,
        { ...key, id: token.sessionId },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      const user = await write.em.findOneOrFail(User, { ...key, id: session.userId });
      write.audit({ target: session.id, actor: user.id, actorKind: 'user' });
      if (session.revokedAt || session.expiresAt <= now || token.expiresAt <= now) return undefined;
      if (token.usedAt) {
        session.revokedAt = now;
        write.publish({
          topic: 'identity.session.revoked',
          tenantId: user.tenantId,
          entityId: session.id,
          payload: {
            sessionId: session.id,
            userId: user.id,
            reason: 'REFRESH_TOKEN_REUSED',
          } satisfies SessionRevoked,
        });
        return undefined;
      }
      token.usedAt = now;
      session.lastUsedAt = now;
      return this.issue(operation, write, user, session);
    }, found.tenant_id);
    if (!outcome) throw refused();
    return outcome;
  }

  private async findByEmail(operation: Operation, email: string): Promise<User | undefined> {
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string; id: string }[]>('select * from identity.find_user_by_email(?)', [email]);
    if (!found) return undefined;
    const user = await operation.database
      .forTenant(found.tenant_id)
      .findOne(User, { tenantId: found.tenant_id, id: found.id });
    return user ?? undefined;
  }

  private async open(operation: Operation, write: Write, user: User): Promise<AuthPayload> {
    const now = operation.clock.now();
    const session = Object.assign(new Session(), {
      tenantId: user.tenantId,
      id: newId('session'),
      userId: user.id,
      clientAddress: operation.request.clientAddress,
      userAgent: operation.request.userAgent ?? null,
      createdAt: now,
      lastUsedAt: now,
      expiresAt: new Date(now.getTime() + sessionMaxMs),
      revokedAt: null,
    });
    write.em.persist(session);
    await write.em.flush();
    return this.issue(operation, write, user, session);
  }

  private async issue(
    operation: Operation,
    write: Write,
    user: User,
    session: Session,
  ): Promise<AuthPayload> {
    const now = operation.clock.now();
    const refreshToken = randomBytes(32).toString('base64url');
    const expiresAt = new Date(Math.min(now.getTime() + refreshIdleMs, session.expiresAt.getTime()));
    write.em.persist(
      Object.assign(new RefreshToken(), {
        tenantId: user.tenantId,
        tokenHash: sha256(refreshToken),
        sessionId: session.id,
        createdAt: now,
        expiresAt,
        usedAt: null,
      }),
    );
    const role = user.role.toLowerCase() as Role;
    const accessToken = await signToken(
      'user',
      this.keys.signingKey(),
      {
        sub: user.id,
        tenant: user.tenantId,
        sid: session.id,
        role,
        ...(user.isAdministrator ? { admin: true } : {}),
      },
      { issuer: this.issuer, now, lifetimeSeconds: accessSeconds },
    );
    operation.adopt({
      kind: 'user',
      tenantId: user.tenantId,
      userId: user.id,
      sessionId: session.id,
      role,
      isAdministrator: user.isAdministrator,
      expiresAt: Math.floor(now.getTime() / 1000) + accessSeconds,
    });
    return {
      user,
      accessToken,
      refreshToken,
      tokenType: 'Bearer',
      expiresIn: accessSeconds,
      totpRequired: null,
      challengeToken: null,
    };
  }
}

function refused(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The refresh token is not valid', {
    reason: 'REFRESH_TOKEN_INVALID',
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
