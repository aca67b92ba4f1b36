import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { ProviderAccount } from '../provider/account.entity.js';
import type { Accounts } from '../provider/accounts.service.js';
import type { Catalogue, SizeOffer } from '../provider/driver.js';
import type { Region, Size } from './catalogue.js';
import { addressPrice, hasEnded, locationsOf } from './choose.js';

/** What the tenant's providers sell. */
export class CatalogueService {
  constructor(private readonly accounts: Accounts) {}

  async regions(operation: Operation, provider?: string | null): Promise<Region[]> {
    const now = operation.clock.now();
    return (await this.all(operation, provider)).flatMap(({ id, catalogue }) =>
      catalogue.regions.map((region) => ({
        ...region,
        provider: id,
        available: catalogue.sizes.some(({ places }) =>
          places.some((place) => place.region === region.id && place.isAvailable && !hasEnded(place, now)),
        ),
      })),
    );
  }

  async sizes(operation: Operation, provider?: string | null, region?: string | null): Promise<Size[]> {
    const now = operation.clock.now();
    return (await this.all(operation, provider)).flatMap(({ id, catalogue }) => {
      const wanted = region == null ? undefined : locationsOf(catalogue, region);
      return catalogue.sizes.flatMap((size) => shownSize(id, catalogue, size, wanted, now));
    });
  }

  private async all(
    operation: Operation,
    provider?: string | null,
  ): Promise<{ id: string; catalogue: Catalogue }[]> {
    if (provider != null && !this.accounts.drivers.has(provider))
      throw new ApiError('BAD_REQUEST', `There is no provider ${provider}`);
    const { em, tenantId } = operation;
    const found = await em.find(
      ProviderAccount,
      { tenantId, ...(provider == null ? {} : { provider }) },
      { limit: this.accounts.drivers.size },
    );
    return Promise.all(
      found.map(async (account) => ({
        id: account.provider,
        catalogue: await this.accounts.catalogue(operation, account),
      })),
    );
  }
}

function shownSize(
  provider: string,
  catalogue: Catalogue,
  { places, ...size }: SizeOffer,
  wanted: readonly string[] | undefined,
  now: Date,
): Size[] {
  const there = places.filter(({ region }) => wanted?.includes(region) ?? true);
  const sold = there.filter((place) => !hasEnded(place, now));
  const ready = sold.filter(({ isAvailable }) => isAvailable);
  // A price at which nobody can have it is told only where there is no other.
  const priced = [ready, sold, there].find(({ length }) => length > 0) ?? [];
  const cheapest = priced.toSorted((a, b) => a.priceMonthly - b.priceMonthly)[0];
  if (!cheapest) return [];
  const address = addressPrice(catalogue, cheapest.region);
  const isEnding = there.every(({ endsAt }) => endsAt !== null);
  const ends = there.map(({ endsAt }) => Date.parse(endsAt ?? ''));
  return [
    {
      ...size,
      provider,
      priceMonthly: cheapest.priceMonthly,
      priceHourly: cheapest.priceHourly,
      ipv4PriceMonthly: address.priceMonthly,
      ipv4PriceHourly: address.priceHourly,
      currency: catalogue.currency,
      deprecated: isEnding,
      endsAt: isEnding ? new Date(Math.max(...ends)) : null,
      availableIn: ready.map(({ region }) => region),
    },
  ];
}
