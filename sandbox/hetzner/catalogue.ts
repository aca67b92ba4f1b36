/**
 * What can be ordered, as data: a part of Hetzner's own places, sizes and images. `cx31` has aged out at Hetzner and
 * stays orderable here, since the panel's published example orders it.
 */

interface Place {
  id: number;
  name: string;
  description: string;
  country: string;
  city: string;
  latitude: number;
  longitude: number;
  network_zone: string;
}

// oxfmt-ignore
export const locations: readonly Place[] = [
  { id: 1, name: 'fsn1', description: 'Falkenstein DC Park 1', country: 'DE', city: 'Falkenstein', latitude: 50.47612, longitude: 12.370071, network_zone: 'eu-central' },
  { id: 2, name: 'nbg1', description: 'Nuremberg DC Park 1', country: 'DE', city: 'Nuremberg', latitude: 49.452102, longitude: 11.076665, network_zone: 'eu-central' },
  { id: 3, name: 'hel1', description: 'Helsinki DC Park 1', country: 'FI', city: 'Helsinki', latitude: 60.169855, longitude: 24.938379, network_zone: 'eu-central' },
  { id: 4, name: 'ash', description: 'Ashburn, VA', country: 'US', city: 'Ashburn, VA', latitude: 39.045821, longitude: -77.487073, network_zone: 'us-east' },
  { id: 5, name: 'hil', description: 'Hillsboro, OR', country: 'US', city: 'Hillsboro, OR', latitude: 45.54222, longitude: -122.951924, network_zone: 'us-west' },
  { id: 6, name: 'sin', description: 'Singapore', country: 'SG', city: 'Singapore', latitude: 1.283333, longitude: 103.833333, network_zone: 'ap-southeast' },
];

export interface Size {
  id: number;
  name: string;
  cores: number;
  memory: number;
  disk: number;
  architecture: 'x86' | 'arm';
  cpu: 'shared' | 'dedicated';
  /** Net, by the month and by the hour, in euros. */
  monthly: number;
  hourly: number;
  /** Where it is sold. */
  at: readonly string[];
  /** Where it is sold out. */
  soldOutAt?: readonly string[];
  deprecation?: { announced: string; unavailable_after: string };
}

const europe = ['fsn1', 'nbg1', 'hel1'];
const everywhere = [...europe, 'ash', 'hil', 'sin'];
const past = { announced: '2023-11-01T00:00:00Z', unavailable_after: '2024-02-01T00:00:00Z' };
const announced = { announced: '2026-10-01T00:00:00Z', unavailable_after: '2099-01-01T00:00:00Z' };

// oxfmt-ignore
export const sizes: readonly Size[] = [
  { id: 1,   name: 'cx11',  cores: 1, memory: 2,  disk: 20,  architecture: 'x86', cpu: 'shared',    monthly: 3.29,  hourly: 0.0053, at: europe, deprecation: past },
  { id: 5,   name: 'cx31',  cores: 2, memory: 8,  disk: 80,  architecture: 'x86', cpu: 'shared',    monthly: 8.98,  hourly: 0.0144, at: europe },
  { id: 22,  name: 'cpx11', cores: 2, memory: 2,  disk: 40,  architecture: 'x86', cpu: 'shared',    monthly: 3.85,  hourly: 0.0062, at: everywhere },
  { id: 23,  name: 'cpx21', cores: 3, memory: 4,  disk: 80,  architecture: 'x86', cpu: 'shared',    monthly: 7.05,  hourly: 0.0113, at: everywhere, deprecation: announced },
  { id: 45,  name: 'cax11', cores: 2, memory: 4,  disk: 40,  architecture: 'arm', cpu: 'shared',    monthly: 3.29,  hourly: 0.0053, at: europe },
  { id: 46,  name: 'cax21', cores: 4, memory: 8,  disk: 80,  architecture: 'arm', cpu: 'shared',    monthly: 5.99,  hourly: 0.0096, at: europe, soldOutAt: europe },
  { id: 96,  name: 'ccx13', cores: 2, memory: 8,  disk: 80,  architecture: 'x86', cpu: 'dedicated', monthly: 12.49, hourly: 0.02,   at: everywhere, soldOutAt: ['fsn1', 'nbg1'] },
  { id: 104, name: 'cx22',  cores: 2, memory: 4,  disk: 40,  architecture: 'x86', cpu: 'shared',    monthly: 3.79,  hourly: 0.006,  at: europe },
  { id: 105, name: 'cx32',  cores: 4, memory: 8,  disk: 80,  architecture: 'x86', cpu: 'shared',    monthly: 6.8,   hourly: 0.0109, at: europe },
];

interface SystemImage {
  id: number;
  name: string;
  description: string;
  flavor: string;
  version: string;
  architecture: 'x86' | 'arm';
}

// oxfmt-ignore
export const images: readonly SystemImage[] = [
  { id: 114690387, name: 'debian-12',    description: 'Debian 12',    flavor: 'debian', version: '12',    architecture: 'x86' },
  { id: 114690389, name: 'debian-12',    description: 'Debian 12',    flavor: 'debian', version: '12',    architecture: 'arm' },
  { id: 161547269, name: 'ubuntu-24.04', description: 'Ubuntu 24.04', flavor: 'ubuntu', version: '24.04', architecture: 'x86' },
  { id: 161547270, name: 'ubuntu-24.04', description: 'Ubuntu 24.04', flavor: 'ubuntu', version: '24.04', architecture: 'arm' },
];

const vatRate = 0.19;
const price = (net: number) => ({ net: net.toFixed(10), gross: (net * (1 + vatRate)).toFixed(16) });
const terabyte = 1_000_000_000_000;

/** Where it is dearer, by how much. */
const dearness: Readonly<Record<string, number>> = { ash: 1.15, sin: 1.5 };
const priceAt = (location: string, net: number) => price(net * (dearness[location] ?? 1));

/** American sites have less traffic for the money. */
const trafficAt = (location: string) => (europe.includes(location) ? 20 : 1) * terabyte;

function pricesOf({ at, hourly, monthly }: Size) {
  return at.map((location) => ({
    location,
    price_hourly: priceAt(location, hourly),
    price_monthly: priceAt(location, monthly),
    included_traffic: trafficAt(location),
    price_per_tb_traffic: price(1),
  }));
}

export function locationView(name: string): Place {
  return { ...locations.find((place) => place.name === name)! };
}

/** `soldOut` has what tests or people have sold out beyond the catalogue: `size@location`, or a size everywhere. */
export function isAvailable(size: Size, location: string, soldOut: ReadonlySet<string>): boolean {
  if (!size.at.includes(location) || (size.soldOutAt?.includes(location) ?? false)) return false;
  return !soldOut.has(size.name) && !soldOut.has(`${size.name}@${location}`);
}

export function sizeView(size: Size, soldOut: ReadonlySet<string>): object {
  const { id, name, cores, memory, disk, architecture, cpu, at, deprecation = null } = size;
  return {
    id,
    name,
    description: name.toUpperCase(),
    category: cpu === 'dedicated' ? 'Dedicated vCPU' : 'Shared vCPU',
    cores,
    memory,
    disk,
    architecture,
    cpu_type: cpu,
    storage_type: 'local',
    deprecated: deprecation !== null,
    deprecation,
    prices: pricesOf(size),
    locations: at.map((place) => ({
      id: locations.find((each) => each.name === place)!.id,
      name: place,
      deprecation,
      available: isAvailable(size, place, soldOut),
      recommended: deprecation === null,
    })),
  };
}

export function imageView(image: SystemImage): object {
  const { id, name, description, flavor, version, architecture } = image;
  return {
    id,
    type: 'system',
    status: 'available',
    name,
    description,
    image_size: null,
    disk_size: 5,
    created: '2024-04-25T13:23:17Z',
    created_from: null,
    bound_to: null,
    os_flavor: flavor,
    os_version: version,
    architecture,
    rapid_deploy: true,
    protection: { delete: false },
    deprecated: null,
    deleted: null,
    labels: {},
  };
}

/** One to a place. */
export function dataCenterView(location: string, soldOut: ReadonlySet<string>): object {
  const { id, description } = locationView(location);
  const supported = sizes.filter(({ at }) => at.includes(location));
  const ids = (of: readonly Size[]) => of.map((size) => size.id);
  const available = supported.filter((size) => isAvailable(size, location, soldOut));
  return {
    id,
    name: `${location}-dc${id}`,
    description,
    location: locationView(location),
    server_types: {
      supported: ids(supported),
      available: ids(available),
      available_for_migration: ids(available),
    },
  };
}

export function pricingView(): object {
  const perPlace = (net: number, hourly = net / 730) =>
    locations.map(({ name }) => ({
      location: name,
      price_hourly: price(hourly),
      price_monthly: price(net),
    }));
  return {
    currency: 'EUR',
    vat_rate: (vatRate * 100).toFixed(6),
    server_types: sizes.map((size) => ({ id: size.id, name: size.name, prices: pricesOf(size) })),
    server_backup: { percentage: '20.0000000000' },
    image: { price_per_gb_month: price(0.011) },
    volume: { price_per_gb_month: price(0.044) },
    floating_ip: { price_monthly: price(3) },
    floating_ips: [
      { type: 'ipv4', prices: perPlace(3) },
      { type: 'ipv6', prices: perPlace(1) },
    ],
    primary_ips: [
      { type: 'ipv4', prices: perPlace(0.5, 0.0008) },
      { type: 'ipv6', prices: perPlace(0) },
    ],
    load_balancer_types: [],
  };
}
