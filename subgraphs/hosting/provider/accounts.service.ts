import { setTimeout as sleep } from 'node:timers/promises';

import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, invalid, notFound } from '#platform/errors.js';
import { grantOf, requireGrant } from '#platform/grant/grants.js';
import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { leaveServers } from '../provision/leave.service.js';
import { keepLeft, liveIds, madeServers, type MadeServer } from '../server/live-servers.service.js';
import { ProviderAccount } from './account.entity.js';
import type { Catalogue, Driver, Session } from './driver.js';
import type { Drivers } from './drivers.js';
import { panelMark } from './marks.js';
import { ProviderError } from './provider-error.js';
import {
  connectProviderRules,
  ProviderStatus,
  type ConnectProviderInput,
  type Provider,
} from './provider.js';
import { compareProjects, shownServers, type Project } from './same-project.js';

/** How long a catalogue is taken for true without asking again. */
const freshMs = 5 * 60_000;
/** How long whoever asks for it waits for a newer one: well within what the gateway waits for. */
const newerWithinMs = 3_000;
const reconcileMs = 5 * 60_000;
const mostMade = 5_000;

/** What one piece of work with an account learned on its way. */
export interface Learned {
  limit: number | null;
  left: number | null;
}

/** Accounts of tenants with providers. Tokens are kept sealed, bound to the account's id. */
export class Accounts {
  /** Catalogues that are being asked for, by account and token: one call for all who wait. */
  private readonly asking = new Map<string, Promise<Catalogue>>();

  constructor(
    readonly drivers: Drivers,
    private readonly keyring: Keyring,
    private readonly publicUrl: string,
  ) {}

  driver(id: string): Driver {
    const found = this.drivers.get(id);
    if (!found) throw invalid('input.provider', `There is no provider ${id}`);
    return found;
  }

  /** All providers there are, whether the tenant has an account or not. */
  async providers({ em, tenantId }: Operation): Promise<Provider[]> {
    const accounts = await em.find(ProviderAccount, { tenantId }, { limit: this.drivers.size });
    return [...this.drivers.values()].map((driver) =>
      this.shown(
        driver,
        accounts.find(({ provider }) => provider === driver.id),
      ),
    );
  }

  /**
   * Keeps a token that the provider takes, in the place of an earlier one: CONFLICT (OTHER_PROJECT) when that would lose
   * the tenant's servers, unless that is wanted.
   */
  async connect(operation: Operation, input: ConnectProviderInput): Promise<Provider> {
    const { provider, token, leavesServers } = validate(connectProviderRules, input);
    const driver = this.driver(provider);
    const session: Session = { token, onBudget: () => undefined };
    const { tenantId } = operation;
    const known = await madeServers(operation.em, tenantId, provider, mostMade);
    const made = leavesServers ? [] : known.filter(({ isLeft }) => !isLeft);
    let catalogue: Catalogue;
    let isSame: boolean;
    let shown: string[];
    try {
      await driver.verify(session);
      isSame = await this.keepsServers(operation, driver, session, made);
      const isAsked = leavesServers || known.some(({ isLeft }) => isLeft);
      shown = isAsked ? await shownServers(this.project(tenantId, driver, known), session) : [];
      catalogue = await driver.catalogue(session);
    } catch (error) {
      throw refusedToken(error);
    }
    const now = operation.clock.now();
    const viewer = operation.requireViewer();
    return operation.write(async ({ em, audit }) => {
      await requireGrant(em, 'hosting', viewer);
      await lockAccount(em, tenantId, provider);
      const before = await em.findOne(ProviderAccount, { tenantId, provider });
      if (before && !isSame && !leavesServers) {
        const ids = new Set(known.map((server) => server.id));
        const since = await madeServers(em, tenantId, provider, mostMade);
        if (since.some((server) => !ids.has(server.id)))
          throw new ApiError('CONFLICT', 'A server was asked for meanwhile: connect once more', {
            reason: 'SERVERS_UNDER_WAY',
          });
      }
      await keepLeft(em, { tenantId, provider }, shown, leavesServers === true);
      const id = before?.id ?? newId('providerAccount');
      const kept = {
        sealedToken: this.keyring.seal(token, id),
        givenAt: now,
        ...grantOf(viewer),
        problem: null,
        lastCheckedAt: now,
        catalogue,
        catalogueAt: now,
        blockedUntil: null,
        // What waited for a token that is taken goes on.
        pollAt: now,
      };
      const account = before
        ? Object.assign(before, kept)
        : em.create(ProviderAccount, {
            tenantId,
            provider,
            id,
            ...kept,
            connectedAt: now,
            quietPolls: 0,
            reconcileAt: new Date(now.getTime() + reconcileMs),
            budgetLimit: null,
            budgetLeft: null,
          });
      await em.execute(
        `update hosting.server set due_at = ? where tenant_id = ? and id in (
           select id from hosting.server where tenant_id = ? and provider = ? and due_at is not null
             and phase in ('CREATING', 'FAILED', 'DELETING') order by id for update)`,
        [now, tenantId, tenantId, provider],
      );
      const left = leavesServers ? { leavesServers: true } : {};
      audit({ target: id, changes: { provider, replaced: before !== null, ...left } });
      return this.shown(driver, account);
    });
  }

  /** Forgets the token. CONFLICT while servers are there that could not be deleted without it, unless they may be left. */
  async disconnect(operation: Operation, provider: string, leavesServers: boolean): Promise<Provider> {
    const driver = this.drivers.get(provider);
    if (!driver) throw notFound('Provider');
    const { tenantId, clock } = operation;
    return operation.write(async (write) => {
      const { em, audit } = write;
      await lockAccount(em, tenantId, provider);
      const account = await em.findOne(ProviderAccount, { tenantId, provider });
      if (!account) return this.shown(driver, undefined);
      const servers = (await liveIds(em, tenantId, provider)).length;
      if (servers > 0 && !leavesServers) {
        throw new ApiError(
          'CONFLICT',
          `There are ${servers} servers at ${driver.name}: decommission them first, or say leavesServers`,
          {
            reason: 'SERVERS_LEFT',
            details: { servers },
          },
        );
      }
      await leaveServers(write, { tenantId, provider, now: clock.now() });
      em.remove(account);
      audit({ target: account.id, changes: { provider, disconnected: true, left: servers } });
      return this.shown(driver, undefined);
    });
  }

  /** An account and its driver, for a piece of work; CONFLICT (PROVIDER_NOT_CONNECTED) without one. */
  async require(em: SqlEntityManager, tenantId: string, provider: string): Promise<ProviderAccount> {
    const account = await em.findOne(ProviderAccount, { tenantId, provider });
    if (account) return account;
    throw new ApiError('CONFLICT', `There is no account with ${provider}: it has to be connected first`, {
      reason: 'PROVIDER_NOT_CONNECTED',
    });
  }

  session(account: ProviderAccount, signal?: AbortSignal): Session & { learned: Learned } {
    const learned: Learned = { limit: null, left: null };
    return {
      token: account.sealedToken === null ? null : this.keyring.open(account.sealedToken, account.id),
      ...(signal === undefined ? {} : { signal }),
      onBudget: (limit, left) => Object.assign(learned, { limit, left }),
      learned,
    };
  }

  /**
   * What can be had now. Asked for anew when what is known is some minutes old; while the provider is away, or takes its
   * time, what is known will do.
   */
  async catalogue(operation: Operation, account: ProviderAccount): Promise<Catalogue> {
    if (operation.clock.now().getTime() - account.catalogueAt.getTime() < freshMs) return account.catalogue;
    const key = `${account.id} ${account.sealedToken}`;
    const asked =
      this.asking.get(key) ?? this.newerCatalogue(operation, account).finally(() => this.asking.delete(key));
    this.asking.set(key, asked);
    // Nobody may be left to hear of it.
    asked.catch(() => undefined);
    const enough = new AbortController();
    const known = sleep(newerWithinMs, account.catalogue, { signal: enough.signal });
    known.catch(() => undefined);
    try {
      return await Promise.race([asked, known]);
    } finally {
      enough.abort();
    }
  }

  private async newerCatalogue(operation: Operation, account: ProviderAccount): Promise<Catalogue> {
    const now = operation.clock.now();
    const { tenantId, provider, sealedToken } = account;
    const em = operation.database.forTenant(tenantId);
    try {
      const catalogue = await this.driver(provider).catalogue(this.session(account));
      await em.execute(
        `update hosting.provider_account set catalogue = ?::jsonb, catalogue_at = ?, last_checked_at = ?, problem = null
         where tenant_id = ? and provider = ? and sealed_token = ?`,
        // Of a token that was connected meanwhile nothing was learned.
        [JSON.stringify(catalogue), now, now, tenantId, provider, sealedToken],
      );
      return catalogue;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const isToken = error.kind === 'UNAUTHORIZED';
      await em.execute(
        `update hosting.provider_account set last_checked_at = ?, catalogue_at = ?, problem = coalesce(?, problem)
         where tenant_id = ? and provider = ? and sealed_token = ?`,
        [
          now,
          // Not asked again at each call while it is away.
          new Date(now.getTime() - freshMs + 30_000),
          isToken ? error.message : null,
          tenantId,
          provider,
          sealedToken,
        ],
      );
      return account.catalogue;
    }
  }

  /** Whether servers that are known are shown to the new token. CONFLICT (OTHER_PROJECT) when others would be lost. */
  private async keepsServers(
    { em, tenantId }: Operation,
    driver: Driver,
    session: Session,
    made: readonly MadeServer[],
  ): Promise<boolean> {
    const account = await em.findOne(ProviderAccount, { tenantId, provider: driver.id });
    const before = account ? this.session(account) : undefined;
    const project = await compareProjects(this.project(tenantId, driver, made), session, before);
    if (project !== 'other') return project === 'same';
    throw new ApiError(
      'CONFLICT',
      `This token does not show the ${made.length} servers that are at ${driver.name} already: it is of another project. ` +
        'Decommission them first, or say leavesServers',
      { reason: 'OTHER_PROJECT', details: { servers: made.length } },
    );
  }

  private project(tenantId: string, driver: Driver, made: readonly MadeServer[]): Project {
    return { driver, mark: { panel: panelMark(this.publicUrl), tenant: tenantId }, made };
  }

  private shown({ id, name, isSandbox }: Driver, account: ProviderAccount | undefined): Provider {
    const failing = account?.problem != null;
    return {
      id,
      name,
      status: account
        ? failing
          ? ProviderStatus.FAILING
          : ProviderStatus.ACTIVE
        : ProviderStatus.UNCONFIGURED,
      configured: account !== undefined,
      sandbox: isSandbox,
      regions: account?.catalogue.regions.map((region) => region.id) ?? [],
      problem: account?.problem ?? null,
      lastCheckedAt: account?.lastCheckedAt ?? null,
    };
  }
}

/** Whoever is about to make a server locks the row as well, and waits, or is waited for. */
async function lockAccount(em: SqlEntityManager, tenantId: string, provider: string): Promise<void> {
  await em.execute('select 1 from hosting.provider_account where tenant_id = ? and provider = ? for update', [
    tenantId,
    provider,
  ]);
}

/** What a refusal of a new token is to whoever sent it. */
function refusedToken(error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  if (error.kind === 'READ_ONLY')
    return invalid(
      'input.token',
      `This token may only read, or not all that is needed: make one that may read and write (${error.message})`,
    );
  if (error.kind === 'UNAUTHORIZED')
    return invalid('input.token', 'The provider does not take this token: it is unknown, or has ended');
  if (error.kind === 'REFUSED') return invalid('input.token', error.message);
  return new ApiError('UNAVAILABLE', `The token could not be tried: ${error.message}`, {
    reason: 'PROVIDER_AWAY',
    retryAfterSeconds: 10,
    cause: error,
  });
}
