import type { SqlEntityManager } from '#platform/database/database.js';
import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';

import { choose } from '../catalogue/choose.js';
import type { Accounts } from '../provider/accounts.service.js';
import {
  rounded,
  setHostingBudgetRules,
  type HostingCost,
  type ServerForecast,
  type SetHostingBudgetInput,
} from './cost.js';

/** Whatever is there or will be: servers that failed or are deleted, and that the provider has none of, cost nothing. */
const paidFor = `deleted_at is null and not (phase = 'FAILED' and (provider_id is null or billed_to is not null))
  and not (phase = 'DELETING' and billed_to is not null)`;
const monthly = 'price_monthly + ipv4_price_monthly';
const hours = `ceil(extract(epoch from coalesce(billed_to, ?::timestamptz) - greatest(billed_from, ?::timestamptz)) / 3600)`;

interface Budget {
  monthlyLimit: number;
  currency: string;
}

/** What servers cost a tenant, and the most that they may. */
export class CostService {
  constructor(private readonly accounts: Accounts) {}

  /** One entry for each currency that anything is paid in. */
  async costs({ em, tenantId, clock }: Operation): Promise<HostingCost[]> {
    const now = clock.now();
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
    const running = await em.execute<{ currency: string; perHour: number; perMonth: number }[]>(
      `select currency, sum(price_hourly + ipv4_price_hourly)::float8 as "perHour", sum(${monthly})::float8 as "perMonth"
       from hosting.server where tenant_id = ? and ${paidFor} group by currency`,
      [tenantId],
    );
    const spent = await em.execute<{ currency: string; thisMonth: number }[]>(
      `select currency, sum(least(price_monthly, price_hourly * hours) +
         least(ipv4_price_monthly, ipv4_price_hourly * hours))::float8 as "thisMonth"
       from hosting.server, lateral (select ${hours} as hours) of
       where tenant_id = ? and billed_from <= ?::timestamptz
         and (billed_to is null or billed_to > ?::timestamptz) group by currency`,
      [now, month, tenantId, now, month],
    );
    const budgets = await budgetsOf(em, tenantId);
    const currencies = new Set([...running, ...spent, ...budgets].map((row) => row.currency));
    return [...currencies].toSorted().map((currency) => {
      const rates = running.find((row) => row.currency === currency);
      return {
        currency,
        perHour: rounded(rates?.perHour ?? 0),
        perMonth: rounded(rates?.perMonth ?? 0),
        thisMonth: rounded(spent.find((row) => row.currency === currency)?.thisMonth ?? 0),
        budget: limitIn(budgets, currency),
      };
    });
  }

  async forecast(
    operation: Operation,
    wanted: { provider: string; region: string; size: string },
  ): Promise<ServerForecast> {
    const { em, tenantId } = operation;
    this.accounts.driver(wanted.provider);
    const account = await this.accounts.require(em, tenantId, wanted.provider);
    const catalogue = await this.accounts.catalogue(operation, account);
    const { location, place, address, currency } = choose(catalogue, wanted, operation.clock.now());
    const perMonthNow = await committed(em, tenantId, currency);
    const limit = limitIn(await budgetsOf(em, tenantId), currency);
    const perMonthThen = rounded(perMonthNow + place.priceMonthly + address.priceMonthly);
    return {
      location,
      priceHourly: place.priceHourly,
      priceMonthly: place.priceMonthly,
      ipv4PriceHourly: address.priceHourly,
      ipv4PriceMonthly: address.priceMonthly,
      currency,
      perMonthNow,
      perMonthThen,
      budget: limit,
      fits: limit === null || perMonthThen <= limit,
    };
  }

  async setBudget(operation: Operation, input: SetHostingBudgetInput): Promise<HostingCost[]> {
    const { monthlyLimit = null, currency } = validate(setHostingBudgetRules, input);
    const { tenantId } = operation;
    await operation.write(async ({ em, audit }) => {
      if (monthlyLimit === null)
        await em.execute('delete from hosting.budget where tenant_id = ? and currency = ?', [
          tenantId,
          currency,
        ]);
      else
        await em.execute(
          `insert into hosting.budget (tenant_id, monthly_limit, currency) values (?, ?, ?)
           on conflict (tenant_id, currency) do update set monthly_limit = excluded.monthly_limit`,
          [tenantId, monthlyLimit, currency],
        );
      audit({ target: tenantId, changes: { monthlyLimit, currency } });
    });
    return this.costs(operation);
  }
}

async function budgetsOf(em: SqlEntityManager, tenantId: string): Promise<Budget[]> {
  return em.execute<Budget[]>(
    'select monthly_limit as "monthlyLimit", currency from hosting.budget where tenant_id = ?',
    [tenantId],
  );
}

function limitIn(budgets: readonly Budget[], currency: string): number | null {
  return budgets.find((budget) => budget.currency === currency)?.monthlyLimit ?? null;
}

async function committed(em: SqlEntityManager, tenantId: string, currency: string): Promise<number> {
  const [row] = await em.execute<{ sum: number | null }[]>(
    `select sum(${monthly})::float8 as sum from hosting.server where tenant_id = ? and currency = ? and ${paidFor}`,
    [tenantId, currency],
  );
  return rounded(row?.sum ?? 0);
}

/**
 * Throws CONFLICT (BUDGET_EXCEEDED) unless a server of this price fits into the tenant's budget. Called in the transaction
 * that adds it, in which those that add take turns. Currencies are never added up: each has a budget of its own, or none.
 */
export async function requireBudget(
  em: SqlEntityManager,
  tenantId: string,
  { priceMonthly, currency }: { priceMonthly: number; currency: string },
): Promise<void> {
  const limit = limitIn(await budgetsOf(em, tenantId), currency);
  if (limit === null) return;
  const spent = await committed(em, tenantId, currency);
  if (rounded(spent + priceMonthly) <= limit) return;
  throw new ApiError(
    'CONFLICT',
    `The budget of ${limit} ${currency} a month does not allow another ${priceMonthly}`,
    {
      reason: 'BUDGET_EXCEEDED',
      details: { budget: limit, committed: spent, price: priceMonthly, currency },
    },
  );
}
