import { ApiError, invalid } from '#platform/errors.js';

import type { AddressOffer, Catalogue, PlaceOffer, SizeOffer } from '../provider/driver.js';

/** What is ordered for a wish, with its price. */
export interface Choice {
  location: string;
  /** ISO 3166-1; null when it was not told. */
  country: string | null;
  size: SizeOffer;
  place: PlaceOffer;
  /** What its public IPv4 address costs beside it. */
  address: Price;
  currency: string;
}

export type Price = Pick<AddressOffer, 'priceHourly' | 'priceMonthly'>;

export interface Alternative {
  region: string;
  size: string;
  /** Net, of a month, in major units. */
  price: number;
  currency: string;
}

const mostAlternatives = 5;

/** The locations that a region stands for: itself, or those of the zone. */
export function locationsOf({ regions }: Catalogue, region: string): string[] {
  return regions.filter(({ id, zone }) => id === region || zone === region).map(({ id }) => id);
}

/** What a public IPv4 address costs there; nothing where it comes with the server. */
export function addressPrice({ addresses = [] }: Catalogue, region: string): Price {
  const { priceHourly = 0, priceMonthly = 0 } = addresses.find((offer) => offer.region === region) ?? {};
  return { priceHourly, priceMonthly };
}

export function hasEnded({ endsAt }: Pick<PlaceOffer, 'endsAt'>, now: Date): boolean {
  return endsAt !== null && Date.parse(endsAt) <= now.getTime();
}

/**
 * Chooses where a size is ordered: in the region, where it is sold, not sold out, and cheapest. VALIDATION_FAILED names
 * what there is not; CONFLICT (SOLD_OUT) what can be had instead.
 */
export function choose(catalogue: Catalogue, wanted: { region: string; size: string }, now: Date): Choice {
  const locations = locationsOf(catalogue, wanted.region);
  if (locations.length === 0) throw invalid('input.region', `There is no region ${wanted.region}`);
  const size = catalogue.sizes.find(({ id }) => id === wanted.size);
  if (!size) throw invalid('input.size', `There is no size ${wanted.size}`);
  const there = size.places.filter(({ region }) => locations.includes(region));
  if (there.length === 0) throw invalid('input.size', `${size.id} is not sold in ${wanted.region}`);
  const sold = there.filter((place) => !hasEnded(place, now));
  if (sold.length === 0) throw invalid('input.size', `${size.id} is sold no more in ${wanted.region}`);
  const place = sold
    .filter(({ isAvailable }) => isAvailable)
    .toSorted((a, b) => a.priceMonthly - b.priceMonthly)[0];
  if (place) {
    const country = catalogue.regions.find(({ id }) => id === place.region)?.country ?? null;
    const address = addressPrice(catalogue, place.region);
    return { location: place.region, country, size, place, address, currency: catalogue.currency };
  }
  const alternatives = alternativesTo(catalogue, wanted);
  throw new ApiError('CONFLICT', soldOut(wanted, alternatives), {
    reason: 'SOLD_OUT',
    details: { alternatives },
  });
}

export function soldOut(
  wanted: { region: string; size: string },
  alternatives: readonly Alternative[],
): string {
  const offers = alternatives.map(({ region, size }) => `${size} in ${region}`);
  const instead = offers.length > 0 ? `; to be had: ${offers.join(', ')}` : '';
  return `${wanted.size} is sold out in ${wanted.region} now${instead}`;
}

/** The same size elsewhere, and as large ones in the same region, nearest in price first. */
export function alternativesTo(
  catalogue: Catalogue,
  wanted: { region: string; size: string; location?: string },
): Alternative[] {
  const locations = locationsOf(catalogue, wanted.region);
  const like = catalogue.sizes.find(({ id }) => id === wanted.size);
  if (!like) return [];
  const price = like.places[0]?.priceMonthly ?? 0;
  const isTried = (size: string, region: string) =>
    size === wanted.size &&
    (wanted.location === undefined ? locations.includes(region) : region === wanted.location);
  return catalogue.sizes
    .filter(
      (size) =>
        size.architecture === like.architecture && size.vcpus >= like.vcpus && size.memoryGb >= like.memoryGb,
    )
    .flatMap((size) =>
      size.places
        .filter((place) => place.isAvailable && place.endsAt === null && !isTried(size.id, place.region))
        .filter(({ region }) => size.id === wanted.size || locations.includes(region))
        .map(({ region, priceMonthly }) => ({
          region,
          size: size.id,
          price: priceMonthly,
          currency: catalogue.currency,
        })),
    )
    .toSorted((a, b) => Math.abs(a.price - price) - Math.abs(b.price - price))
    .slice(0, mostAlternatives);
}
