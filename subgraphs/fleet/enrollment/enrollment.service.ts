import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { OutboxEvent } from '#platform/outbox/outbox.js';
import { randomToken, sha256 } from '#platform/secrets/random-token.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';
import type { InstanceEnrolled } from '#schema/events.js';

import { Instance } from '../instance/instance.entity.js';
import { takeOver } from '../lifecycle/reenrollment.service.js';
import { instancesCounted } from '../summary/summary.service.js';
import type { CredentialService } from './credential.service.js';
import { EnrollmentToken } from './enrollment-token.entity.js';
import {
  createEnrollmentTokenRules,
  enrollInstanceRules,
  type CreateEnrollmentTokenInput,
  type CreateEnrollmentTokenPayload,
  type EnrollInstanceInput,
  type EnrollInstancePayload,
} from './enrollment.inputs.js';

const hour = 60 * 60 * 1000;
const defaultHours = 24;
const prefixLength = 12;

/** Tokens that let nodes in, and nodes coming in by them. */
export class EnrollmentService {
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
    const secret = `flt_${randomToken()}`;
    const now = operation.clock.now();
    const token = Object.assign(new EnrollmentToken(), {
      tenantId: operation.tenantId,
      id: newId('enrollmentToken'),
      name,
      prefix: secret.slice(0, prefixLength),
      tokenHash: sha256(secret),
      tags: [...new Set(tags)],
      maxUses: maxUses ?? null,
      uses: 0,
      instanceId: null,
      createdBy: viewerId(operation.requireViewer()),
      createdAt: now,
      expiresAt: new Date(now.getTime() + (expiresInHours ?? defaultHours) * hour),
      revokedAt: null,
      lastUsedAt: null,
    });
    await operation.write(async ({ em, audit }) => {
      em.persist(token);
      audit({ target: token.id });
    });
    return { token: secret, enrollmentToken: token, name, expiresAt: token.expiresAt };
  }

  /** Newest last, revoked and expired ones included. */
  async tokens(operation: Operation, args: PageArgs): Promise<Page<EnrollmentToken>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const rows = await operation.em.find(
      EnrollmentToken,
      { tenantId, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(EnrollmentToken, { tenantId }));
  }

  /** Revoking again changes nothing. Instances that came in by the token stay. */
  async revokeToken(operation: Operation, id: string): Promise<EnrollmentToken> {
    return operation.write(async ({ em, audit }) => {
      const token = await em.findOne(EnrollmentToken, { tenantId: operation.tenantId, id });
      if (!token) throw notFound('Enrollment token');
      audit({ target: id });
      token.revokedAt ??= operation.clock.now();
      return token;
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
    const instance = await operation.write(async ({ em, publish, audit }) => {
      const used = await useToken(em, tenantId, found.id, now);
      const said = {
        hostname: rules.hostname.toLowerCase(),
        version: rules.version,
        baseUrl: rules.baseUrl ?? `https://${rules.hostname.toLowerCase()}`,
        redirectUris: rules.redirectUris ?? [],
        publicKey: rules.publicKey ?? null,
      };
      if (used.instanceId !== null) {
        const key = { tenantId, instanceId: used.instanceId };
        const returned = await takeOver({ em, publish }, key, said, now);
        publish(enrolled(returned, found.id));
        audit({ target: returned.id, actor: returned.id, actorKind: 'node', changes: { reenrolled: true } });
        return returned;
      }
      await this.entitlements.requireRoom(em, tenantId, 'instances', () => em.count(Instance, { tenantId }));
      const created = em.create(Instance, {
        tenantId,
        id: newId('instance'),
        name: rules.name,
        ...said,
        tags: used.tags,
        enrolledAt: now,
        enrollmentTokenId: found.id,
        credentialGeneration: 1,
        candidateGeneration: null,
        regressions: 0,
        regressedAt: null,
        announcedStatus: 'OFFLINE',
        reasons: [],
        health: [],
        facts: {},
        ...nothingMeasured,
      });
      publish(enrolled(created, found.id));
      await em.flush();
      publish(await instancesCounted(em, tenantId));
      audit({ target: created.id, actor: created.id, actorKind: 'node' });
      return created;
    }, tenantId);
    const credential = await this.credentials.issue(
      { instanceId: instance.id, tenantId, generation: instance.credentialGeneration },
      now,
    );
    return { instance, instanceId: instance.id, credential, heartbeatSeconds: this.heartbeatSeconds };
  }
}

const nothingMeasured = {
  lastSeenAt: null,
  offlineAt: null,
  stoppedAt: null,
  sequence: null,
  clockSkewSeconds: null,
  appsCount: null,
  cpuPercent: null,
  memoryPercent: null,
  diskPercent: null,
  cpuCores: null,
  memoryGb: null,
  storageUsedGb: null,
  netRxBytes: null,
  netTxBytes: null,
  netRxBytesPerSecond: null,
  netTxBytesPerSecond: null,
  loadAverage: null,
  uptimeSeconds: null,
};

function enrolled(instance: Instance, enrollmentTokenId: string): OutboxEvent {
  const { tenantId, id, name, hostname, baseUrl, redirectUris } = instance;
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
    } satisfies InstanceEnrolled,
  };
}

/** Counts one use, if one is left: the row lock of the update makes enrollments by one token take turns. */
async function useToken(
  em: Em,
  tenantId: string,
  id: string,
  now: Date,
): Promise<{ tags: string[]; instanceId: string | null }> {
  const [used] = await em.execute<{ tags: string[]; instanceId: string | null }[]>(
    `update fleet.enrollment_token set uses = uses + 1, last_used_at = ?
     where tenant_id = ? and id = ? and revoked_at is null and expires_at > ? and (max_uses is null or uses < max_uses)
     returning tags, instance_id as "instanceId"`,
    [now, tenantId, id, now],
  );
  if (used) return used;
  const token = await em.findOneOrFail(EnrollmentToken, { tenantId, id });
  if (token.revokedAt) throw refused('TOKEN_REVOKED', 'The enrollment token was revoked');
  if (token.expiresAt <= now) throw refused('TOKEN_EXPIRED', 'The enrollment token has expired');
  throw refused('TOKEN_USED_UP', 'The enrollment token has no uses left');
}

type Em = Operation['em'];

function refused(reason: string, message: string): ApiError {
  return new ApiError('UNAUTHENTICATED', message, { reason });
}
