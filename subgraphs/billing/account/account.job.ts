import type Stripe from 'stripe';

import type { Clock } from '#platform/clock.js';
import type { Database, SqlEntityManager } from '#platform/database/database.js';
import { systemEm } from '#platform/database/system-em.js';
import { ApiError, OperatorError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';

import { within } from '../stripe/within.js';
import { fetchAccount, isSame, otherAccount, type StripeAccount } from './known-account.js';

/** How long a start waits for Stripe. */
const startMs = 4_000;
/** How often it is asked after that, until it has answered. */
const againMs = 60_000;

/**
 * Keeps the account of the customers and subscriptions that are in the database, and Stripe from being asked for them with
 * the key of another one: of a test key's customers a live key knows nothing, and each would seem to have been deleted.
 */
export class AccountGuard {
  private other: string | undefined;
  private readonly stopped = new AbortController();

  constructor(
    private readonly database: Database,
    private readonly stripe: Stripe,
    private readonly isLive: boolean,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Throws an OperatorError where the key is of another account. While Stripe is away that is looked for later. */
  async start(): Promise<void> {
    await this.compare({ id: null, isLive: this.isLive });
    try {
      const options = { timeout: startMs, maxNetworkRetries: 0 };
      await this.compare(await within(startMs, fetchAccount(this.stripe, this.isLive, options)));
    } catch (error) {
      if (error instanceof OperatorError) throw error;
      this.logger.warn(
        { err: error },
        'Stripe did not say whose key STRIPE_SECRET_KEY is; it is asked again',
      );
      void this.again();
    }
  }

  /** UNAVAILABLE (OTHER_STRIPE_ACCOUNT): whoever runs the panel has to mend it. */
  require(): void {
    if (this.other === undefined) return;
    throw new ApiError(
      'UNAVAILABLE',
      'The payment provider can not be asked with the key that it was given',
      {
        reason: 'OTHER_STRIPE_ACCOUNT',
        cause: new Error(this.other),
      },
    );
  }

  warnings(): string[] {
    return this.other === undefined ? [] : [this.other];
  }

  stop(): void {
    this.stopped.abort();
  }

  private async again(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        await this.clock.delay(againMs, signal);
        await this.compare(await fetchAccount(this.stripe, this.isLive));
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof OperatorError) {
          this.other = error.message;
          this.logger.error(error.message);
          return;
        }
        this.logger.warn({ err: error }, 'Stripe did not say whose key STRIPE_SECRET_KEY is');
      }
    }
  }

  private async compare(found: StripeAccount): Promise<void> {
    await systemEm(this.database).transactional(async (em) => {
      const kept = await lockAccount(em, found, this.clock.now());
      if (isSame(kept, found)) return keepAccount(em, { ...found, id: found.id ?? kept.id });
      // Nobody has been made a customer yet, so nothing can be mixed.
      if (await hasCustomers(em)) throw new OperatorError(otherAccount(kept, found));
      await keepAccount(em, found);
    });
  }
}

/** What is kept, or the account that is told where nothing is; held until the transaction ends. */
export async function lockAccount(
  em: SqlEntityManager,
  first: StripeAccount,
  now: Date,
): Promise<StripeAccount> {
  await em.execute(
    `insert into billing.stripe_account (account_id, is_live, known_at) values (?, ?, ?) on conflict (id) do nothing`,
    [first.id, first.isLive, now],
  );
  const [kept] = await em.execute<[StripeAccount]>(
    'select account_id as id, is_live as "isLive" from billing.stripe_account for update',
  );
  return kept;
}

export async function keepAccount(em: SqlEntityManager, { id, isLive }: StripeAccount): Promise<void> {
  await em.execute(
    `update billing.stripe_account set account_id = ?, is_live = ?
     where (account_id, is_live) is distinct from (?::text, ?::boolean)`,
    [id, isLive, id, isLive],
  );
}

async function hasCustomers(em: SqlEntityManager): Promise<boolean> {
  const found = await em.execute<unknown[]>(
    'select 1 from billing.subscription where customer_id is not null limit 1',
  );
  return found.length > 0;
}
