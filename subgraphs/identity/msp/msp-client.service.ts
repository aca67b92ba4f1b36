import { LockMode, type ObjectQuery } from '@mikro-orm/core';

import type { SqlEntityManager } from '#platform/database/database.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { ApiError, notFound } from '#platform/errors.js';
import { IdempotencyKeys } from '#platform/idempotency/idempotency-keys.js';
import { newId } from '#platform/ids.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';
import type { MspClientChanged } from '#schema/events.js';

import { restorableMs } from '../closing/reopen.service.js';
import { countingInvitation } from '../throttle/throttle.js';
import { requireStanding } from '../user/standing.service.js';
import { MspClient, MspClientStatus } from './msp-client.entity.js';
import {
  createMspClientRules,
  mspClientFilterRules,
  updateMspClientRules,
  type CreateMspClientInput,
  type MspClientFilter,
  type MspClientsArgs,
  type UpdateMspClientInput,
} from './msp-client.inputs.js';
import { lockShares, tellRemainder } from './shares.service.js';

/** What a mutation did to a client, as both trails tell it. */
interface Change {
  isChanged: boolean;
  changes: Record<string, unknown>;
  /** Whether its contact is to be invited as its owner, which happens only while it has no user. */
  isInviting?: boolean;
}

/**
 * A provider's clients. What it decides is kept under its own tenant; `applyMspClients` carries it over to the client's,
 * which no transaction of the provider can reach.
 */
export class MspClientService {
  readonly idempotency = new IdempotencyKeys('identity', ['createMspClient']);

  constructor(private readonly entitlements: Entitlements) {}

  /** In the order in which they were made, deleted ones included until they are erased. */
  async page(operation: Operation, args: MspClientsArgs): Promise<Page<MspClient>> {
    await this.requireProvider(operation);
    const window = pageWindow(args);
    const filter = validate(mspClientFilterRules, args.filter ?? {}, 'filter');
    const which: ObjectQuery<MspClient> = { tenantId: operation.tenantId, $and: wanted(filter) };
    const rows = await operation.em.find(
      MspClient,
      { ...which, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(MspClient, which));
  }

  async get(operation: Operation, id: string): Promise<MspClient> {
    await this.requireProvider(operation);
    const client = await operation.em.findOne(MspClient, { tenantId: operation.tenantId, id });
    if (!client) throw notFound('Client');
    return client;
  }

  /** Makes a tenant with a share of the provider's limit, and invites its owner. */
  async create(operation: Operation, input: CreateMspClientInput): Promise<MspClient> {
    await this.entitlements.requireFeature(operation, 'msp');
    const { name, contactEmail, instanceLimit, plan } = validate(createMspClientRules, input);
    const { tenantId } = operation;
    const call = { mutation: 'createMspClient', input, key: input.idempotencyKey } as const;
    // What is repeated invites nobody, and is not counted.
    const earlier = await this.idempotency.find<string>(operation, call);
    if (earlier !== undefined) return this.get(operation, earlier);
    const make = async () =>
      this.idempotency.write(
        operation,
        call,
        (id: string) => id,
        async (write) => {
          await requireStanding(write.em, operation.requireUser());
          await this.requireShare(write.em, tenantId, instanceLimit);
          await requireOpen(write.em, tenantId);
          const made = Object.assign(new MspClient(), {
            tenantId,
            id: newId('tenant'),
            name,
            contactEmail,
            instanceLimit,
            plan,
            version: 1,
            instancesUsed: 0,
            createdAt: operation.clock.now(),
            providerSuspendedAt: null,
            panelSuspendedAt: null,
            eraseAt: null,
          });
          await write.em.persist(made).flush();
          const changes = { name, contactEmail, instanceLimit, plan };
          write.audit({ target: made.id, changes });
          tell(operation, write, made, 'createMspClient', { isChanged: true, changes, isInviting: true });
          await tellRemainder(write, tenantId);
          return { answer: made.id, response: made.id };
        },
      );
    return this.get(operation, await countingInvitation(operation, contactEmail, make));
  }

  /**
   * A new contact is invited. The one on record is when nothing else is given, for their link may have been lost or have
   * ended; a program that always sends the whole client is not to mail them each time.
   */
  async update(operation: Operation, id: string, input: UpdateMspClientInput): Promise<MspClient> {
    await this.entitlements.requireFeature(operation, 'msp');
    const given = Object.entries(validate(updateMspClientRules, input)).filter(([, value]) => value != null);
    const changes = Object.fromEntries(given) as Partial<CreateMspClientInput>;
    const { contactEmail } = changes;
    const isInviting = (before: MspClient) => contactEmail !== before.contactEmail || given.length === 1;
    const change = async () =>
      this.change(operation, id, 'updateMspClient', async (found, write) => {
        write.audit({ changes });
        if (found.eraseAt) {
          throw new ApiError('CONFLICT', 'The client was deleted; restore it first', {
            reason: 'CLIENT_DELETED',
          });
        }
        const { instanceLimit = found.instanceLimit } = changes;
        if (instanceLimit > found.instanceLimit)
          await this.requireShare(write.em, found.tenantId, instanceLimit, id);
        if (instanceLimit < found.instanceLimit && instanceLimit < found.instancesUsed) {
          throw new ApiError('CONFLICT', `The client has ${found.instancesUsed} instances`, {
            reason: 'INSTANCES_IN_USE',
            details: { limit: instanceLimit, used: found.instancesUsed },
          });
        }
        const isInvited = contactEmail !== undefined && isInviting(found);
        Object.assign(found, changes);
        return { isChanged: given.length > 0, changes, isInviting: isInvited };
      });
    return contactEmail !== undefined && isInviting(await this.get(operation, id))
      ? countingInvitation(operation, contactEmail, change)
      : change();
  }

  /** Suspending one that is suspended changes nothing. */
  async suspend(operation: Operation, id: string): Promise<MspClient> {
    return this.change(operation, id, 'suspendMspClient', async (client) => {
      const isChanged = client.providerSuspendedAt === null;
      client.providerSuspendedAt ??= operation.clock.now();
      return { isChanged, changes: { suspended: true } };
    });
  }

  /** Suspends at once, and has it erased in 30 days. Deleting again does not put that off. */
  async delete(operation: Operation, id: string): Promise<MspClient> {
    return this.change(operation, id, 'deleteMspClient', async (client) => {
      const now = operation.clock.now();
      const isChanged = client.eraseAt === null;
      client.providerSuspendedAt ??= now;
      client.eraseAt ??= new Date(now.getTime() + restorableMs);
      return { isChanged, changes: { suspended: true, eraseAt: client.eraseAt.toISOString() } };
    });
  }

  /** Ends a suspension, and takes a deletion back. */
  async restore(operation: Operation, id: string): Promise<MspClient> {
    return this.change(operation, id, 'restoreMspClient', async (client) => {
      const isChanged = client.providerSuspendedAt !== null;
      Object.assign(client, { providerSuspendedAt: null, eraseAt: null });
      return { isChanged, changes: { suspended: false } };
    });
  }

  private async change(
    operation: Operation,
    id: string,
    action: string,
    work: (client: MspClient, write: Write) => Promise<Change>,
  ): Promise<MspClient> {
    await this.requireProvider(operation);
    const { tenantId } = operation;
    return operation.write(async (write) => {
      await requireStanding(write.em, operation.requireUser());
      // Shares before clients, as in `create`: one order of locks for all.
      await lockShares(write.em, tenantId);
      const client = await write.em.findOne(
        MspClient,
        { tenantId, id },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      if (!client) throw notFound('Client');
      write.audit({ target: id });
      const share = client.instanceLimit;
      const change = await work(client, write);
      if (!change.isChanged) return client;
      client.version += 1;
      await write.em.flush();
      tell(operation, write, client, action, change);
      if (client.instanceLimit !== share) await tellRemainder(write, tenantId);
      return client;
    });
  }

  /**
   * Throws PLAN_REQUIRED for whoever is no provider. Who has clients is one whatever became of the plan: nobody else could
   * see or stop them.
   */
  private async requireProvider(operation: Operation): Promise<void> {
    const clients = await operation.em.execute<unknown[]>(
      'select 1 from identity.msp_client where tenant_id = ? limit 1',
      [operation.tenantId],
    );
    if (clients.length === 0) await this.entitlements.requireFeature(operation, 'msp');
  }

  /**
   * Throws LIMIT_REACHED unless the provider's limit has room for the share beside those of its other clients and its
   * own instances. Under a lock, so that shares that are given at once are counted one after the other. Its own instances
   * are as many as fleet has told: those that it enrolls in the moment until fleet and identity have heard of each other
   * may go beyond the sum, and then it enrolls no more.
   */
  private async requireShare(
    em: SqlEntityManager,
    tenantId: string,
    share: number,
    except = '',
  ): Promise<void> {
    await this.entitlements.requireRoom(
      em,
      tenantId,
      'instances',
      async () => {
        const [row] = await em.execute<{ used: number }[]>(
          `select (
             coalesce((select sum(instance_limit) from identity.msp_client where tenant_id = ? and id <> ?), 0)
             + coalesce((select instances from identity.tenant_usage where tenant_id = ?), 0)
           )::int as used`,
          [tenantId, except, tenantId],
        );
        return row?.used ?? 0;
      },
      share,
    );
  }
}

/** A provider may have been closed while its shares were waited for: nobody could ever delete the client. */
async function requireOpen(em: SqlEntityManager, tenantId: string): Promise<void> {
  const open = await em.execute<unknown[]>(
    'select 1 from identity.tenant where id = ? and suspended_at is null',
    [tenantId],
  );
  if (open.length > 0) return;
  throw new ApiError('FORBIDDEN', 'The tenant is suspended', { reason: 'TENANT_SUSPENDED' });
}

function wanted({ search, status, needsAttention }: MspClientFilter): ObjectQuery<MspClient>[] {
  const like = { $ilike: `%${(search ?? '').replaceAll(/[\\%_]/g, String.raw`\$&`)}%` };
  const isActive = { providerSuspendedAt: null, panelSuspendedAt: null };
  const isInNeed = { $or: [{ offline: { $gt: 0 } }, { criticalAlerts: { $gt: 0 } }] };
  return [
    ...(search ? [{ $or: [{ name: like }, { contactEmail: like }] }] : []),
    ...(status == null ? [] : [status === MspClientStatus.ACTIVE ? isActive : { $not: isActive }]),
    ...(needsAttention == null ? [] : [needsAttention ? isInNeed : { $not: isInNeed }]),
  ];
}

function tell(
  operation: Operation,
  write: Write,
  client: MspClient,
  action: string,
  { changes, isInviting = false }: Change,
): void {
  const { tenantId, id, name, contactEmail, plan, instanceLimit, version } = client;
  const viewer = operation.requireViewer();
  const actor = viewerId(viewer);
  write.publish({
    topic: 'identity.msp-client.changed',
    tenantId,
    entityId: id,
    entityVersion: version,
    payload: {
      clientId: id,
      version,
      name,
      plan,
      instanceLimit,
      isSuspended: client.providerSuspendedAt !== null,
      invitation: isInviting ? { email: contactEmail, invitedBy: actor } : null,
      cause: {
        action,
        actor,
        actorKind: viewer.kind,
        clientAddress: operation.request.clientAddress,
        changes,
      },
    } satisfies MspClientChanged,
  });
}
