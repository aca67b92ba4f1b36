import { holds, type PermissionTable } from '../auth/permissions.js';
import type { Clock } from '../clock.js';
import type { Database, SqlEntityManager } from '../database/database.js';
import { isPassing, markInDoubt } from '../database/outage.js';
import { ApiError } from '../errors.js';
import { JobBatch } from '../jobs/enqueue.js';
import type { Enqueue } from '../jobs/job.js';
import { appendToOutbox, type OutboxEvent } from '../outbox/outbox.js';
import type { RequestContext } from '../request-context.js';
import { viewerId, type NodeViewer, type UserViewer, type Viewer } from '../viewer.js';
import { auditEvent, type AuditDetails, type MutationCall } from './audit.js';

/** One transaction of a mutation: the entity manager, and the facts that are published if it commits. */
export interface Write {
  em: SqlEntityManager;
  publish: (event: OutboxEvent) => void;
  /** Asks for a job of this area, for the tenant of the transaction. */
  enqueue: Enqueue;
  /** Says what the mutation was about, for the audit trail. */
  audit: (details: AuditDetails) => void;
}

export interface OperationOptions {
  request: RequestContext;
  database: Database;
  clock: Clock;
  /** The subgraph's permissions, and who holds them. */
  permissions: PermissionTable;
  viewer: Viewer | undefined;
  /** Why there is no viewer although a token came along. */
  denial: ApiError | undefined;
  /** Whether a tenant is suspended. */
  isSuspended?: (tenantId: string) => boolean;
}

/**
 * One operation inside one subgraph: who asks, through which entity manager, and how writes are made. Passed first to
 * every service method.
 */
export class Operation {
  readonly request: RequestContext;
  readonly database: Database;
  readonly clock: Clock;
  private readonly permissions: PermissionTable;
  private caller: Viewer | undefined;
  private readonly denial: ApiError | undefined;
  private readonly isSuspended: (tenantId: string) => boolean;
  private readonly kept = new Map<unknown, unknown>();
  private reader: SqlEntityManager | undefined;
  private writes = 0;
  private call: (MutationCall & { isAudited: boolean }) | undefined;

  constructor(options: OperationOptions) {
    this.request = options.request;
    this.caller = options.viewer;
    this.denial = options.denial;
    this.isSuspended = options.isSuspended ?? (() => false);
    this.permissions = options.permissions;
    this.database = options.database;
    this.clock = options.clock;
  }

  /** The verified caller, if any. */
  get viewer(): Viewer | undefined {
    return this.caller;
  }

  /** For a sign-in: the rest of this operation is read as the user who just signed in. */
  adopt(viewer: Viewer): void {
    this.caller = viewer;
    this.reader = undefined;
  }

  /** The verified caller; throws UNAUTHENTICATED, saying why a token that came along was refused. */
  requireViewer(): Viewer {
    if (this.viewer) return this.viewer;
    throw this.denial ?? new ApiError('UNAUTHENTICATED', 'Authentication is required');
  }

  /** Throws FORBIDDEN unless the viewer holds the permission, by its role or by its token's own list. */
  require(permission: string): void {
    if (holds(this.permissions, this.requireViewer(), permission)) return;
    throw new ApiError('FORBIDDEN', `This needs the permission ${permission}`, {
      reason: 'PERMISSION_MISSING',
    });
  }

  requireUser(): UserViewer {
    const viewer = this.requireViewer();
    if (viewer.kind !== 'user') throw new ApiError('FORBIDDEN', 'Only users may do this');
    return viewer;
  }

  requireNode(): NodeViewer {
    const viewer = this.requireViewer();
    if (viewer.kind !== 'node')
      throw new ApiError('FORBIDDEN', 'Only a node may do this, with its credential');
    return viewer;
  }

  get tenantId(): string {
    return this.requireViewer().tenantId;
  }

  /** For reads: bound to the viewer's tenant, shared by the whole operation. */
  get em(): SqlEntityManager {
    this.reader ??= this.viewer ? this.database.forTenant(this.viewer.tenantId) : this.database.anonymous();
    return this.reader;
  }

  /**
   * Whether what it reads may be seconds old, though never older than what its tenant has written or was told of: for
   * people's queries. Services act on what they read, and subscriptions show what an event tells of.
   */
  get mayLag(): boolean {
    const kind = this.viewer?.kind;
    const isForPeople = kind === 'user' || kind === 'api-key' || kind === 'delegate';
    return this.request.mayLag === true && isForPeople && this.writes === 0;
  }

  /** Makes a thing once per operation: loaders, mostly. */
  once<T>(key: unknown, make: () => T): T {
    if (!this.kept.has(key)) this.kept.set(key, make());
    return this.kept.get(key) as T;
  }

  /**
   * Runs `work` in one transaction as the tenant (the viewer's, unless the mutation found another by a secret), and
   * writes its events and the mutation's audit row before it commits. What `work` throws undoes all of it. Of a suspended
   * tenant only what restores it may be written by those who come by a secret.
   */
  async write<T>(
    work: (write: Write) => Promise<T>,
    tenantId = this.tenantId,
    { isRestoring = false } = {},
  ): Promise<T> {
    if (!isRestoring) this.refuseSuspended(tenantId);
    const events: OutboxEvent[] = [];
    const jobs = new JobBatch();
    let details: AuditDetails = {};
    const result = await this.database.forTenant(tenantId).transactional(async (em) => {
      const answer = await work({
        em,
        publish: (event) => events.push(event),
        enqueue: jobs.enqueue,
        audit: (more) => (details = { ...details, ...more }),
      });
      await em.flush();
      if (this.call?.isAudited === false) events.push(this.auditRow(this.call, tenantId, details));
      await appendToOutbox(em, this.database.area, events, {
        requestId: this.request.requestId,
        at: this.clock.now(),
      });
      await jobs.send(em, this.database.area, { requestId: this.request.requestId, tenantId });
      return answer;
    });
    this.writes += 1;
    await this.database.wrote(tenantId);
    this.database.announce(events);
    if (this.call) this.call.isAudited = true;
    // Rows read before the write are stale now.
    this.reader = undefined;
    this.kept.clear();
    return result;
  }

  /** For mutations that are audited: runs `next`, then makes sure that the mutation has left its audit row. */
  async mutation<T>(call: MutationCall, next: () => Promise<T>): Promise<T> {
    this.call = { ...call, isAudited: false };
    const { writes } = this;
    try {
      const result = await next();
      if (!this.call.isAudited && this.viewer) await this.write(async () => undefined);
      this.call = undefined;
      return result;
    } catch (error) {
      // To come again is no advice for what is done in part.
      throw this.writes > writes && isPassing(error) ? markInDoubt(error) : error;
    }
  }

  /**
   * Tokens of a suspended tenant are refused already; this refuses those who come by a secret: a password, a link, a
   * code, whatever token they bring besides. The panel's administrators may act on a suspended tenant.
   */
  refuseSuspended(tenantId: string): void {
    if (!this.isSuspended(tenantId)) return;
    if (this.viewer?.kind === 'user' && this.viewer.isAdministrator && this.viewer.tenantId !== tenantId)
      return;
    // Whose token is good is known, and must not be told to sign in again.
    const code = this.viewer ? 'FORBIDDEN' : 'UNAUTHENTICATED';
    throw new ApiError(code, 'The tenant is suspended', { reason: 'TENANT_SUSPENDED' });
  }

  private auditRow(call: MutationCall, tenantId: string, details: AuditDetails): OutboxEvent {
    return auditEvent(call, {
      tenantId,
      actor: this.viewer ? viewerId(this.viewer) : 'anonymous',
      actorKind: this.viewer?.kind ?? 'anonymous',
      clientAddress: this.request.clientAddress,
      ...(this.request.userAgent === undefined ? {} : { userAgent: this.request.userAgent.slice(0, 500) }),
      ...(this.viewer?.kind === 'delegate'
        ? { grant: this.viewer.grantId, actorTenant: this.viewer.actorTenantId }
        : {}),
      ...(this.viewer?.kind === 'user' && this.viewer.tenantId !== tenantId
        ? { actorTenant: this.viewer.tenantId }
        : {}),
      ...details,
    });
  }
}
