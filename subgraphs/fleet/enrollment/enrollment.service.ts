import { cut } from '#platform/cut-text.js';
import type { SqlEntityManager } from '#platform/database/database.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, notFound } from '#platform/errors.js';
import { IdempotencyKeys } from '#platform/idempotency/idempotency-keys.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { isSafeRedirect } from '#platform/safe-redirect.js';
import { sha256 } from '#platform/secrets/random-token.js';
import type { AuditDetails } from '#platform/subgraph/audit.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import type { InstanceEnrolled } from '#schema/events.js';

import { longestVersion } from '../heartbeat/heartbeat.rules.js';
import { Instance } from '../instance/instance.entity.js';
import { takeOver } from '../lifecycle/reenrollment.service.js';
import type { InputWarning } from '../reported/input-warning.js';
import { Warnings } from '../reported/warnings.js';
import { instancesCounted } from '../summary/summary.service.js';
import { storageUsed } from '../usage/storage.service.js';
import type { CredentialService } from './credential.service.js';
import { EnrollmentToken, EnrollmentTokenEnd } from './enrollment-token.entity.js';
import {
  createEnrollmentTokenRules,
  createServerEnrollmentTokenRules,
  enrollInstanceRules,
  type CreateEnrollmentTokenInput,
  type CreateEnrollmentTokenPayload,
  type CreateServerEnrollmentTokenInput,
  type EnrollInstanceInput,
  type EnrollInstancePayload,
  type EnrollInstanceRules,
} from './enrollment.inputs.js';
import { normalAddress, normalHostName } from './host-name.js';
import { requireMaker } from './makers.service.js';
import { newToken } from './new-token.js';
import { nothingMeasured } from './nothing-measured.js';
import { placesTaken } from './places.service.js';

const defaultHours = 24;

/** What a node became by its token. Whoever repeats the call gets a credential of that generation, and of no later one. */
interface Joined {
  instanceId: string;
  generation: number;
}

/** Tokens that let nodes in, and nodes coming in by them. */
export class EnrollmentService {
  readonly idempotency = new IdempotencyKeys('fleet', ['enrollInstance']);

  constructor(
    private readonly credentials: CredentialService,
    private readonly entitlements: Entitlements,
    private readonly heartbeatSeconds: number,
  ) {}

  async createToken(
    operation: Operation,
    input: CreateEnrollmentTokenInput,
  ): Promise<CreateEnrollmentTokenPayload> {
    const { name, expiresInHours, maxUses, tags } = validate(createEnrollmentTokenRules, input);
    const { secret, token } = newToken(operation, {
      name,
      tags: [...new Set(tags)],
      maxUses: maxUses ?? null,
      hours: expiresInHours ?? defaultHours,
    });
    await operation.write(async ({ em, audit }) => {
      await requireMaker(em, token);
      em.persist(token);
      audit({ target: token.id });
    });
    return { token: secret, enrollmentToken: token, name, expiresAt: token.expiresAt };
  }

  /** One use by one host, and a place under the plan's limit until then. An earlier token of the server ends. */
  async createServerToken(
    operation: Operation,
    input: CreateServerEnrollmentTokenInput,
  ): Promise<CreateEnrollmentTokenPayload> {
    const { serverId, name, hostname, expiresInHours, tags } = validate(
      createServerEnrollmentTokenRules,
      input,
    );
    const { tenantId } = operation;
    const now = operation.clock.now();
    const { secret, token } = newToken(operation, {
      name,
      tags: [...new Set(tags)],
      maxUses: 1,
      hours: expiresInHours,
      serverId,
      boundHostname: normalHostName(hostname),
    });
    await operation.write(async ({ em, audit }) => {
      await this.entitlements.lock(em, tenantId, 'instances');
      await em.execute(
        `update fleet.enrollment_token set revoked_at = ?, revoked_reason = 'REVOKED'
         where tenant_id = ? and server_id = ? and revoked_at is null and uses = 0`,
        [now, tenantId, serverId],
      );
      await this.requireRoom(em, tenantId, now);
      await this.requireStorage(em, tenantId);
      em.persist(token);
      audit({ target: token.id, changes: { serverId } });
    });
    return { token: secret, enrollmentToken: token, name, expiresAt: token.expiresAt };
  }

  /** A token of the viewer's tenant; a foreign one is NOT_FOUND, like one that never was. */
  async token({ em, tenantId }: Operation, id: string): Promise<EnrollmentToken> {
    const token = await em.findOne(EnrollmentToken, { tenantId, id });
    if (!token) throw notFound('Enrollment token');
    return token;
  }

  /** Revoking again changes nothing. Instances that came in by the token stay. */
  async revokeToken(operation: Operation, id: string): Promise<EnrollmentToken> {
    return operation.write(async ({ em, audit }) => {
      const token = await em.findOne(EnrollmentToken, { tenantId: operation.tenantId, id });
      if (!token) throw notFound('Enrollment token');
      audit({ target: id });
      if (token.revokedAt) return token;
      return Object.assign(token, {
        revokedAt: operation.clock.now(),
        revokedReason: EnrollmentTokenEnd.REVOKED,
      });
    });
  }

  /** Trades an enrollment token for an instance with a credential of its own. */
  async enroll(operation: Operation, input: EnrollInstanceInput): Promise<EnrollInstancePayload> {
    const rules = validate(enrollInstanceRules, input);
    const [found] = await operation.database
      .anonymous()
      .execute<{ tenant_id: string; id: string }[]>('select * from fleet.find_enrollment_token(?)', [
        sha256(rules.token),
      ]);
    if (!found) throw refused('TOKEN_INVALID', 'The enrollment token is not valid');
    const tenantId = found.tenant_id;
    const now = operation.clock.now();
    const call = { mutation: 'enrollInstance', input, key: input.idempotencyKey, tenantId } as const;
    const revive = (joined: Joined, { audit }: Write) => {
      audit(entryOf(joined.instanceId, found.id));
      return joined;
    };
    const { instanceId, generation } = await this.idempotency.write(
      operation,
      call,
      revive,
      async (write) => {
        const instance = await this.join(write, { tenantId, tokenId: found.id }, rules, now);
        const joined = { instanceId: instance.id, generation: instance.credentialGeneration };
        return { answer: joined, response: joined };
      },
    );
    const instance = await operation.database
      .forTenant(tenantId)
      .findOne(Instance, { tenantId, id: instanceId });
    if (!instance) throw refused('TOKEN_REVOKED', 'The instance has left the fleet');
    const credential = await this.credentials.issue({ instanceId, tenantId, generation }, now);
    const warnings = warningsFor(rules, input.unknownFields);
    return { instance, instanceId, credential, heartbeatSeconds: this.heartbeatSeconds, warnings };
  }

  private async requireRoom(em: SqlEntityManager, tenantId: string, now: Date): Promise<void> {
    await this.entitlements.requireRoom(em, tenantId, 'instances', () => placesTaken(em, tenantId, now));
  }

  private async requireStorage(em: SqlEntityManager, tenantId: string): Promise<void> {
    await this.entitlements.requireStorage(em, tenantId, () => storageUsed({ em, tenantId }));
  }

  private async join(
    { em, publish, audit }: Write,
    { tenantId, tokenId }: { tenantId: string; tokenId: string },
    rules: EnrollInstanceRules,
    now: Date,
  ): Promise<Instance> {
    const used = await useToken(em, tenantId, tokenId, now);
    const hostname = normalHostName(rules.hostname);
    if (used.boundHostname !== null && used.boundHostname !== hostname)
      throw refused('TOKEN_BOUND', 'The enrollment token is of another host');
    const said = {
      hostname,
      version: cut(rules.version, longestVersion),
      baseUrl: normalAddress(rules.baseUrl ?? `https://${hostname}`),
      redirectUris: rules.redirectUris ?? [],
      publicKey: rules.publicKey ?? null,
    };
    if (used.instanceId !== null) {
      const key = { tenantId, instanceId: used.instanceId };
      const returned = await takeOver({ em, publish }, key, said, now);
      publish(enrolled(returned, tokenId));
      audit(entryOf(returned.id, tokenId, { reenrolled: true }));
      return returned;
    }
    await this.requireRoom(em, tenantId, now);
    // A server's node was let in when the server was asked for.
    if (used.boundHostname === null) await this.requireStorage(em, tenantId);
    const created = em.create(Instance, {
      tenantId,
      id: newId('instance'),
      name: rules.name,
      ...said,
      tags: used.tags,
      enrolledAt: now,
      enrollmentTokenId: tokenId,
      credentialGeneration: 1,
      candidateGeneration: null,
      regressions: 0,
      regressedAt: null,
      announcedStatus: 'OFFLINE',
      reasons: [],
      health: [],
      facts: {},
      factsReportedAt: null,
      ...nothingMeasured,
    });
    publish(enrolled(created, tokenId));
    await em.flush();
    publish(await instancesCounted(em, tenantId));
    audit(entryOf(created.id, tokenId));
    return created;
  }
}

/** A node comes by a request of its own: its token, whose making is in the trail too, says who let it in. */
function entryOf(id: string, enrollmentTokenId: string, more: Record<string, unknown> = {}): AuditDetails {
  return { target: id, actor: id, actorKind: 'node', changes: { enrollmentTokenId, ...more } };
}

/** What a node may come in with, and what will not work for it then. */
function warningsFor(
  { version, redirectUris }: { version: string; redirectUris?: string[] | null | undefined },
  unknownFields: readonly string[] | null | undefined,
): InputWarning[] | null {
  const warnings = new Warnings();
  warnings.text('version', version, { what: 'Version', max: longestVersion });
  for (const [at, uri] of (redirectUris ?? []).entries()) {
    if (isSafeRedirect(uri)) continue;
    warnings.add(
      `redirectUris.${at}`,
      'Sign-in will refuse this redirect URI: it must be https, or lead to localhost, 127.0.0.1 or [::1]',
    );
  }
  warnings.addUnknown(unknownFields);
  return warnings.all;
}

function enrolled(instance: Instance, enrollmentTokenId: string): OutboxEvent {
  const { tenantId, id, name, hostname, baseUrl, redirectUris, version, tags } = instance;
  return {
    topic: 'fleet.instance.enrolled',
    tenantId,
    entityId: id,
    payload: {
      instanceId: id,
      name,
      hostname,
      baseUrl,
      redirectUris,
      enrollmentTokenId,
      version,
      tags,
    } satisfies InstanceEnrolled,
  };
}

type Used = Pick<EnrollmentToken, 'tags' | 'instanceId' | 'boundHostname'>;

/** Counts one use, if one is left: the row lock of the update makes enrollments by one token take turns. */
async function useToken(em: Em, tenantId: string, id: string, now: Date): Promise<Used> {
  const [used] = await em.execute<Used[]>(
    `update fleet.enrollment_token set uses = uses + 1, last_used_at = ?
     where tenant_id = ? and id = ? and revoked_at is null and expires_at > ? and (max_uses is null or uses < max_uses)
     returning tags, instance_id as "instanceId", bound_hostname as "boundHostname"`,
    [now, tenantId, id, now],
  );
  if (used) return used;
  const token = await em.findOneOrFail(EnrollmentToken, { tenantId, id });
  if (token.revokedAt) throw refused('TOKEN_REVOKED', wordsFor[token.revokedReason ?? 'REVOKED']);
  if (token.expiresAt <= now) throw refused('TOKEN_EXPIRED', 'The enrollment token has expired');
  throw refused('TOKEN_USED_UP', 'The enrollment token has no uses left');
}

const wordsFor: Readonly<Record<EnrollmentTokenEnd, string>> = {
  REVOKED: 'The enrollment token was revoked',
  MEMBER_REMOVED: 'The enrollment token has ended with the account of whoever made it',
  ROLE_CHANGED: 'The enrollment token has ended with the role of whoever made it',
  API_KEY_REVOKED: 'The enrollment token has ended with the API key that made it',
  GRANT_ENDED: 'The enrollment token has ended with the access under which it was made',
  INSTANCE_REMOVED: 'The enrollment token was revoked',
  ADDRESS_PROVED: 'The enrollment token has ended with the account as it was when it was made',
};

type Em = Operation['em'];

function refused(reason: string, message: string): ApiError {
  return new ApiError('UNAUTHENTICATED', message, { reason });
}
