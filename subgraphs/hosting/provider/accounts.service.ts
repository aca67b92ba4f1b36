import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError, invalid, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Keyring } from '#platform/secrets/keyring.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { liveCount } from '../server/live-servers.service.js';
import { ProviderAccount } from './account.entity.js';
import type { Catalogue, Driver, Session } from './driver.js';
import type { Drivers } from './drivers.js';
import { ProviderError } from './provider-error.js';
import {
  connectProviderRules,
  ProviderStatus,
  type ConnectProviderInput,
  type Provider,
} from './provider.js';

/** How long a catalogue is taken for true without asking again. */
const freshMs = 5 * 60_000;
const reconcileMs = 5 * 60_000;

/** What one piece of work with an account learned on its way. */
export interface Learned {
  limit: number | null;
  left: number | null;
}

/** Accounts of tenants with providers. Tokens are kept sealed, bound to the account's id. */
export class Accounts {
  constructor(
    readonly drivers: Drivers,
    private readonly keyring: Keyring,
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

  /** Keeps a token that the provider takes, in the place of an earlier one. */
  async connect(operation: Operation, input: ConnectProviderInput): Promise<Provider> {
    const { provider, token } = validate(connectProviderRules, input);
    const driver = this.driver(provider);
    const session: Session = { token, onBudget: () => undefined };
    let catalogue: Catalogue;
    try {
      await driver.verify(session);
      catalogue = await driver.catalogue(session);
    } catch (error) {
      throw refusedToken(error);
    }
    const now = operation.clock.now();
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      const before = await em.findOne(ProviderAccount, { tenantId, provider });
      const id = before?.id ?? newId('providerAccount');
      const kept = {
        sealedToken: this.keyring.seal(token, id),
        problem: null,
        lastCheckedAt: now,
        catalogue,
        catalogueAt: now,
        blockedUntil: null,
      };
      const account = before
        ? Object.assign(before, kept)
        : em.create(ProviderAccount, {
            tenantId,
            provider,
            id,
            ...kept,
            connectedAt: now,
            pollAt: null,
            quietPolls: 0,
            reconcileAt: new Date(now.getTime() + reconcileMs),
            budgetLimit: null,
            budgetLeft: null,
          });
      audit({ target: id, changes: { provider, replaced: before !== null } });
      return this.shown(driver, account);
    });
  }

  /** Forgets the token. CONFLICT while servers are there that could not be deleted without it. */
  async disconnect(operation: Operation, provider: string): Promise<Provider> {
    const driver = this.drivers.get(provider);
    if (!driver) throw notFound('Provider');
    const { tenantId } = operation;
    return operation.write(async ({ em, audit }) => {
      const account = await em.findOne(ProviderAccount, { tenantId, provider });
      if (!account) return this.shown(driver, undefined);
      const servers = await liveCount(em, tenantId, provider);
      if (servers > 0) {
        throw new ApiError(
          'CONFLICT',
          `There are ${servers} servers at ${driver.name}: decommission them first`,
          {
            reason: 'SERVERS_LEFT',
            details: { servers },
          },
        );
      }
      em.remove(account);
      audit({ target: account.id, changes: { provider, disconnected: true } });
      return this.shown(driver, undefined);
    });
  }

  /** An account and its driver, for a piece of work; CONFLICT (PROVIDER_NOT_CONNECTED) without one. */
  async require(em: SqlEntityManager, tenantId: string, provider: string): Promise<ProviderAccount> {
    const account = await em.findOne(ProviderAccount, { tenantId, provider });
    if (account) return account;
    throw new ApiError('CONFLICT', `There is no account with ${provider}: connectProvider takes its token`, {
      reason: 'PROVIDER_NOT_CONNECTED',
    });
  }

  session(account: ProviderAccount): Session & { learned: Learned } {
    const learned: Learned = { limit: null, left: null };
    return {
      token: this.keyring.open(account.sealedToken, account.id),
      onBudget: (limit, left) => Object.assign(learned, { limit, left }),
      learned,
    };
  }

  /**
   * What can be had now. Asked for anew when what is known is some minutes old; while the provider is away what is known
   * will do.
   */
  async catalogue(operation: Operation, account: ProviderAccount): Promise<Catalogue> {
    const now = operation.clock.now();
    if (now.getTime() - account.catalogueAt.getTime() < freshMs) return account.catalogue;
    const { tenantId, provider } = account;
    const em = operation.database.forTenant(tenantId);
    try {
      const catalogue = await this.driver(provider).catalogue(this.session(account));
      await em.execute(
        `update hosting.provider_account set catalogue = ?::jsonb, catalogue_at = ?, last_checked_at = ?, problem = null
         where tenant_id = ? and provider = ?`,
        [JSON.stringify(catalogue), now, now, tenantId, provider],
      );
      return catalogue;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const isToken = error.kind === 'UNAUTHORIZED';
      await em.execute(
        `update hosting.provider_account set last_checked_at = ?, catalogue_at = ?, problem = coalesce(?, problem)
         where tenant_id = ? and provider = ?`,
        // Not asked again at each call while it is away.
        [now, new Date(now.getTime() - freshMs + 30_000), isToken ? error.message : null, tenantId, provider],
      );
      return account.catalogue;
    }
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

/** What a refusal of a new token is to whoever sent it. */
function refusedToken(error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  if (error.kind === 'READ_ONLY')
    return invalid(
      'input.token',
      'This token may only read, or not all that is needed: make one that may read and write',
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
