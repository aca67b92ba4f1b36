import type { Choice } from '../catalogue/choose.js';
import { rounded } from '../cost/cost.js';
import type { Driver } from '../provider/driver.js';

/** Processor architectures in the words that nodes tell. */
const architectures: Readonly<Record<string, string>> = { x86: 'x64', arm: 'arm64' };

/**
 * What is known of a server before it is made, by the paths of facts. What governance's catalogue does not name is left out
 * there, but for all below `custom`: so everything of the server is there as well.
 */
export function serverFacts(
  { id: provider, image }: Pick<Driver, 'id' | 'image'>,
  wish: { region: string; installCloudOs?: boolean | null | undefined },
  { location, country, size, place, address, currency }: Choice,
): Record<string, unknown> {
  const told = {
    provider,
    region: location,
    zone: wish.region === location ? null : wish.region,
    country,
    size: size.id,
    image: `${image.os} ${image.version}`,
    vcpus: size.vcpus,
    memory_gb: size.memoryGb,
    disk_gb: size.diskGb,
    price_hourly: rounded(place.priceHourly + address.priceHourly),
    price_monthly: rounded(place.priceMonthly + address.priceMonthly),
    currency,
  };
  const known = Object.entries(told).filter(([, value]) => value !== null);
  return {
    // With Cloud OS a node tells of that, and nobody knows beforehand what.
    ...(wish.installCloudOs === false ? { 'os.name': image.os, 'os.version': image.version } : {}),
    arch: architectures[size.architecture] ?? size.architecture,
    ...Object.fromEntries(known.map(([name, value]) => [`server.${name}`, value])),
    ...Object.fromEntries(known.map(([name, value]) => [`custom.server.${name}`, value])),
  };
}
