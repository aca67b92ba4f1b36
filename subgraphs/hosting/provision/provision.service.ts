import type { Admission } from '#platform/admission/admission.js';
import { advisoryLock } from '#platform/database/advisory-lock.js';
import { ApiError, notFound } from '#platform/errors.js';
import { IdempotencyKeys } from '#platform/idempotency/idempotency-keys.js';
import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation, Write } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import { viewerId } from '#platform/viewer.js';
import type { ServerChanged } from '#schema/events.js';

import { choose, type Choice } from '../catalogue/choose.js';
import { rounded } from '../cost/cost.js';
import { requireBudget } from '../cost/cost.service.js';
import type { Accounts } from '../provider/accounts.service.js';
import { serverFacts } from '../server/admission-facts.js';
import { fromKept, toKept, type KeptId, type KeptServer } from '../server/kept-server.js';
import { lockServer, move } from '../server/move.service.js';
import { Server } from '../server/server.entity.js';
import {
  decommissionServerRules,
  provisionServerRules,
  type DecommissionServerInput,
  type ProvisionServerInput,
} from '../server/server.inputs.js';
import { ServerPhase } from '../server/server.phases.js';
import { withStep } from '../server/server.steps.js';
import { canInstall } from './cloud-init.js';
import type { Asker, FleetCalls } from './fleet-calls.js';
import { advanceKind } from './kinds.js';
import { claimMs } from './pace.js';
import { delayed } from './remove.job.js';

const defaultDrainSeconds = 60;

interface Reserved {
  tokenId: string;
  token: string;
}

type Wish = ReturnType<typeof provisionServerRules.parse>;

/** What tenants ask for: servers, and their end. What follows is up to jobs. */
export class ProvisionService {
  readonly idempotency = new IdempotencyKeys('hosting', ['provisionServer', 'decommissionServer']);

  constructor(
    private readonly tools: {
      accounts: Accounts;
      fleet: FleetCalls;
      admission: Admission;
      keyring: Keyring;
      installer: string | undefined;
    },
  ) {}

  /**
   * Writes a wish for a server down. Policies are asked first; then what it needs is reserved, a place under the plan's
   * limit and a part of the budget, and given back when the wish is not written after all.
   */
  async provision(operation: Operation, input: ProvisionServerInput): Promise<Server> {
    const wish = validate(provisionServerRules, input);
    const { tenantId } = operation;
    const call = { mutation: 'provisionServer' as const, input, key: input.idempotencyKey };
    operation.refuseSuspended(tenantId);
    const earlier = await this.idempotency.find<KeptServer | KeptId>(operation, call);
    if (earlier) return this.answered(operation, earlier);
    const choice = await this.chosen(operation, wish);
    const id = newId('server');
    const asker = askerOf(operation);
    const installs = wish.installCloudOs ?? true;
    const tags = [...new Set(wish.tags)];
    const facts = serverFacts(this.tools.accounts.driver(wish.provider), wish, choice);
    await this.tools.admission.require(operation, {
      subject: 'PROVISION',
      action: 'server.provision',
      tags,
      facts,
      isChange: true,
      sentence: 'this server be made',
    });
    const reserved = installs
      ? await this.tools.fleet.reserve(asker, { id, name: wish.name, tags })
      : undefined;
    let kept: KeptServer | KeptId;
    try {
      kept = await this.idempotency.write(operation, call, asKept, async (write) => {
        const server = toKept(await this.insert(operation, write, { id, wish, choice, reserved }));
        return { answer: server, response: server };
      });
    } catch (error) {
      await this.giveBack(asker, reserved);
      throw error;
    }
    // Somebody else has used the key meanwhile.
    if (kept.id !== id) await this.giveBack(asker, reserved);
    return this.answered(operation, kept);
  }

  /** Begins to take a server down. Asking again changes nothing. CONFLICT (SERVER_PROTECTED). */
  async decommission(operation: Operation, input: DecommissionServerInput): Promise<Server> {
    const { id, drainSeconds } = validate(decommissionServerRules, input);
    const { tenantId, clock } = operation;
    const call = { mutation: 'decommissionServer' as const, input, key: input.idempotencyKey };
    const kept = await this.idempotency.write(operation, call, asKept, async (write) => {
      const server = await lockServer(write.em, tenantId, id);
      if (!server) throw notFound('Server');
      write.audit({ target: id, changes: { name: server.name, decommissioned: true } });
      if (server.isProtected)
        throw new ApiError('CONFLICT', `${server.name} is protected: take that off first`, {
          reason: 'SERVER_PROTECTED',
        });
      begin(write, server, clock.now(), drainSeconds ?? defaultDrainSeconds);
      return { answer: toKept(server), response: toKept(server) };
    });
    return this.answered(operation, kept);
  }

  private async chosen(operation: Operation, wish: Wish): Promise<Choice> {
    const { accounts, installer } = this.tools;
    const driver = accounts.driver(wish.provider);
    const account = await accounts.require(operation.em, operation.tenantId, wish.provider);
    if (account.problem !== null)
      throw new ApiError('CONFLICT', `The provider refuses the account's token: ${account.problem}`, {
        reason: 'TOKEN_REFUSED',
      });
    if ((wish.installCloudOs ?? true) && !canInstall(driver, installer))
      throw new ApiError(
        'CONFLICT',
        'The panel does not know what installs Cloud OS: its operator has to set CLOUD_OS_INSTALLER; until then only ' +
          'servers without it can be had (install_cloud_os: false)',
        { reason: 'INSTALLER_UNSET' },
      );
    return choose(await accounts.catalogue(operation, account), wish, operation.clock.now());
  }

  private async insert(
    operation: Operation,
    { em, publish, enqueue, audit }: Write,
    {
      id,
      wish,
      choice,
      reserved,
    }: { id: string; wish: Wish; choice: Choice; reserved: Reserved | undefined },
  ): Promise<Server> {
    const { tenantId } = operation;
    const now = operation.clock.now();
    const dueAt = new Date(now.getTime() + claimMs);
    const { location, place, address, currency } = choice;
    await advisoryLock(em, 'hosting.servers', tenantId);
    const taken = await em.execute<unknown[]>(
      'select 1 from hosting.server where tenant_id = ? and provider = ? and lower(name) = lower(?) and deleted_at is null',
      [tenantId, wish.provider, wish.name],
    );
    if (taken.length > 0)
      throw new ApiError('CONFLICT', `There is a server ${wish.name} already`, { reason: 'NAME_TAKEN' });
    const priceMonthly = rounded(place.priceMonthly + address.priceMonthly);
    await requireBudget(em, tenantId, { priceMonthly, currency });
    const server = em.create(Server, {
      tenantId,
      id,
      version: '1',
      provider: wish.provider,
      name: wish.name,
      region: wish.region,
      location,
      size: wish.size,
      sshKeys: wish.sshKeys ?? [],
      tags: [...new Set(wish.tags)],
      installCloudOs: reserved !== undefined,
      isProtected: wish.isProtected ?? false,
      phase: ServerPhase.REQUESTED,
      phaseAt: now,
      steps: withStep([], { phase: ServerPhase.REQUESTED, at: now, message: null }),
      reason: null,
      message: null,
      progress: 0,
      providerId: null,
      operationIds: [],
      createCalls: 0,
      lastCallAt: null,
      callingUntil: null,
      failures: 0,
      dueAt,
      drainUntil: null,
      missingSince: null,
      ipAddress: null,
      instanceId: null,
      enrollmentTokenId: reserved?.tokenId ?? null,
      sealedToken: reserved ? this.tools.keyring.seal(reserved.token, id) : null,
      priceHourly: place.priceHourly,
      priceMonthly: place.priceMonthly,
      ipv4PriceHourly: address.priceHourly,
      ipv4PriceMonthly: address.priceMonthly,
      currency,
      createdAt: now,
      createdBy: viewerId(operation.requireViewer()),
      billedFrom: null,
      billedTo: null,
      leftovers: [],
      readyAt: null,
      deletedAt: null,
    });
    publish({
      topic: 'hosting.server.changed',
      tenantId,
      entityId: id,
      entityVersion: 1,
      payload: { serverId: id, from: null, to: ServerPhase.REQUESTED } satisfies ServerChanged,
    });
    enqueue(advanceKind, { tenantId, serverId: id, dueAt: dueAt.toISOString() });
    const { provider, name, region, size } = wish;
    audit({ target: id, changes: { provider, name, region, size, installCloudOs: reserved !== undefined } });
    return server;
  }

  private async giveBack(asker: Asker, reserved: Reserved | undefined): Promise<void> {
    if (reserved) await this.tools.fleet.giveBack(asker, reserved.tokenId);
  }

  /** The first answer, whatever has become of the server since. */
  private async answered({ em, tenantId }: Operation, kept: KeptServer | KeptId): Promise<Server> {
    if ('phase' in kept) return fromKept(kept);
    const server = await em.findOne(Server, { tenantId, id: kept.id });
    if (!server) throw notFound('Server');
    return server;
  }
}

const asKept = (kept: KeptServer | KeptId) => kept;

function askerOf({ tenantId, request }: Operation): Asker {
  return { tenantId, causedBy: request.requestId };
}

function begin({ publish, enqueue }: Write, server: Server, now: Date, drainSeconds: number): void {
  const { tenantId, id, phase } = server;
  const dueAt = new Date(now.getTime() + claimMs);
  if ([ServerPhase.DRAINING, ServerPhase.DELETING, ServerPhase.DELETED].includes(phase)) {
    // Whoever asks again may have released it at the provider: nobody waits for the next try.
    if (phase !== ServerPhase.DELETING || server.reason !== delayed) return;
    server.dueAt = dueAt;
    enqueue(advanceKind, { tenantId, serverId: id, dueAt: dueAt.toISOString() });
    return;
  }
  const drains = server.instanceId !== null && phase !== ServerPhase.ORPHANED && drainSeconds > 0;
  move({ publish }, server, drains ? ServerPhase.DRAINING : ServerPhase.DELETING, now, {
    drainUntil: drains ? new Date(now.getTime() + drainSeconds * 1000) : null,
    operationIds: [],
    reason: null,
    message: null,
    dueAt,
  });
  enqueue(advanceKind, { tenantId, serverId: id, dueAt: dueAt.toISOString() });
}
