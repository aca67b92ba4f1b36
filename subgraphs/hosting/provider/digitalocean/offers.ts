import type { z } from 'zod';

import type { Catalogue, RegionOffer, SizeOffer } from '../driver.js';
import type * as wire from './wire.js';

type Region = z.infer<typeof wire.regions>['regions'][number];
type Size = z.infer<typeof wire.sizes>['sizes'][number];

/** DigitalOcean's prices are in US dollars, the same everywhere. */
const currency = 'USD';

/**
 * What can be had where. A size is listed with the regions where it can be had now, so that one that is sold out is not told
 * from one that was never sold there. Sizes with graphics processors are left out: they need images of their own.
 */
export function catalogueOf(regions: readonly Region[], sizes: readonly Size[]): Catalogue {
  const open = new Set(regions.filter(({ available }) => available).map(({ slug }) => slug));
  return {
    currency,
    regions: regions.map(regionOf),
    sizes: sizes.filter(({ gpu_info: gpu }) => gpu == null).map((size) => sizeOf(size, open)),
  };
}

/** The letters of a region (`nyc` of `nyc3`) may be asked for in its place, as at DigitalOcean itself. */
function regionOf({ slug, name }: Region): RegionOffer {
  const zone = slug.replace(/\d+$/, '');
  return { id: slug, name, zone: zone === slug ? null : zone, country: null, city: null };
}

function sizeOf(size: Size, open: ReadonlySet<string>): SizeOffer {
  const { slug, description, vcpus, memory, disk, regions, available } = size;
  return {
    id: slug,
    name: description,
    vcpus,
    memoryGb: memory / 1024,
    diskGb: disk,
    architecture: 'x86',
    places: regions.map((region) => ({
      region,
      isAvailable: available && open.has(region),
      endsAt: null,
      // Numbers of single precision come with digits that nobody meant.
      priceHourly: Math.round(size.price_hourly * 1e5) / 1e5,
      priceMonthly: size.price_monthly,
    })),
  };
}
