import { apiKeyPrefix } from '#platform/auth/api-key-exchange.js';
import { holds, type PermissionTable } from '#platform/auth/permissions.js';
import { signToken } from '#platform/auth/tokens.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import type { Viewer } from '#platform/viewer.js';
import type { ApiKeyRevoked } from '#schema/events.js';

import { checkCurrentPassword, requireSamePassword } from '../password/current-password.js';
import type { SigningKeyService } from '../signing-key/signing-key.service.js';
import { requireStanding } from '../user/standing.service.js';
import type { UserService } from '../user/user.service.js';
import { ApiKey } from './api-key.entity.js';
import {
  createApiKeyRules,
  defaultDays,
  type CreateApiKeyInput,
  type CreateApiKeyPayload,
} from './api-key.inputs.js';

const day = 24 * 60 * 60 * 1000;
const prefixLength = 12;
const tokenSeconds = 60;
const lastUsedEveryMs = 60_000;

// What only a person may do. Above all a key makes no keys, members or grants: those would outlive it.
const notForKeys =
  /^identity\.(account|second-factor|oauth|user|api-key|delegation|plan|organization|tenant\.(suspend|list|close)|member\.manage|msp\.manage)\b/;

/** API keys of a tenant, and their exchange for short tokens. */
export class ApiKeyService {
  constructor(
    /** All permissions of all areas. */
    private readonly permissions: PermissionTable,
    private readonly users: UserService,
    private readonly keys: SigningKeyService,
    private readonly issuer: string,
  ) {}

  /** What a key that the viewer makes may be allowed. */
  grantable(viewer: Viewer): string[] {
    return Object.keys(this.permissions).filter(
      (name) => !notForKeys.test(name) && holds(this.permissions, viewer, name),
    );
  }

  async create(operation: Operation, input: CreateApiKeyInput): Promise<CreateApiKeyPayload> {
    const viewer = operation.requireUser();
    const rules = createApiKeyRules(this.grantable(viewer));
    const { name, permissions, expiresInDays, currentPassword } = validate(rules, input);
    const before = await this.users.me(operation);
    await checkCurrentPassword(operation, before, currentPassword);
    const key = apiKeyPrefix + randomToken();
    const now = operation.clock.now();
    const apiKey = Object.assign(new ApiKey(), {
      tenantId: viewer.tenantId,
      id: newId('apiKey'),
      name,
      prefix: key.slice(0, prefixLength),
      secretHash: sha256(key),
      permissions: [...new Set(permissions)].toSorted(),
      createdBy: viewer.userId,
      createdAt: now,
      expiresAt: new Date(now.getTime() + (expiresInDays ?? defaultDays) * day),
      lastUsedAt: null,
      revokedAt: null,
    });
    await operation.write(async ({ em, audit }) => {
      requireSamePassword(await requireStanding(em, viewer), before);
      em.persist(apiKey);
      audit({ target: apiKey.id, changes: { permissions: apiKey.permissions, expiresAt: apiKey.expiresAt } });
    });
    return { key, apiKey };
  }

  /** Newest last, ended ones included. */
  async page(operation: Operation, args: PageArgs): Promise<Page<ApiKey>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      ApiKey,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(ApiKey, { tenantId }));
  }

  async get({ em, tenantId }: Operation, id: string): Promise<ApiKey> {
    const apiKey = await em.findOne(ApiKey, { tenantId, id });
    if (!apiKey) throw notFound('API key');
    return apiKey;
  }

  /** Revoking again changes nothing. */
  async revoke(operation: Operation, id: string): Promise<ApiKey> {
    const { tenantId } = operation.requireUser();
    return operation.write(async ({ em, audit, publish }) => {
      const apiKey = await em.findOne(ApiKey, { tenantId, id });
      if (!apiKey) throw notFound('API key');
      audit({ target: id });
      if (apiKey.revokedAt) return apiKey;
      apiKey.revokedAt = operation.clock.now();
      publish({
        topic: 'identity.api-key.revoked',
        tenantId,
        entityId: id,
        payload: { keyId: id } satisfies ApiKeyRevoked,
      });
      return apiKey;
    });
  }

  /** For gateways: a token of at most a minute that may do what the key may. */
  async exchange(operation: Operation, key: string): Promise<string> {
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string; id: string }[]>('select * from identity.find_api_key(?)', [sha256(key)]);
    if (!found) throw refused();
    const { tenant_id: tenantId, id } = found;
    const now = operation.clock.now();
    const em = operation.database.forTenant(tenantId);
    const apiKey = await em.findOne(ApiKey, { tenantId, id });
    const left = apiKey ? Math.floor((apiKey.expiresAt.getTime() - now.getTime()) / 1000) : 0;
    if (!apiKey || apiKey.revokedAt || left <= 0) throw refused();
    const isUsedNow = apiKey.lastUsedAt && now.getTime() - apiKey.lastUsedAt.getTime() < lastUsedEveryMs;
    if (!isUsedNow) await em.nativeUpdate(ApiKey, { tenantId, id }, { lastUsedAt: now });
    return signToken(
      'apiKey',
      this.keys.signingKey(),
      {
        sub: id,
        tenant: tenantId,
        permissions: apiKey.permissions,
        key_exp: Math.floor(apiKey.expiresAt.getTime() / 1000),
      },
      { issuer: this.issuer, now, lifetimeSeconds: Math.min(tokenSeconds, left) },
    );
  }
}

function refused(): ApiError {
  return new ApiError('UNAUTHENTICATED', 'The API key is not valid', { reason: 'API_KEY_INVALID' });
}
