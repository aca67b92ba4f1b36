import type { Server } from '../cloud/kept.js';

/** What can be ordered, as data: a part of DigitalOcean's own regions, sizes and images, with its prices in US dollars. */

interface Region {
  slug: string;
  name: string;
  isOpen: boolean;
}

export const regions: readonly Region[] = [
  { slug: 'nyc1', name: 'New York 1', isOpen: true },
  { slug: 'nyc2', name: 'New York 2', isOpen: false },
  { slug: 'nyc3', name: 'New York 3', isOpen: true },
  { slug: 'fra1', name: 'Frankfurt 1', isOpen: true },
  { slug: 'ams3', name: 'Amsterdam 3', isOpen: true },
  { slug: 'sgp1', name: 'Singapore 1', isOpen: true },
];

export interface Size {
  slug: string;
  memory: number;
  vcpus: number;
  disk: number;
  transfer: number;
  monthly: number;
  /** As DigitalOcean's own numbers come, of single precision. */
  hourly: number;
  description: string;
  at: readonly string[];
  isSold: boolean;
  isGpu?: boolean;
}

const everywhere = regions.map(({ slug }) => slug);

// oxfmt-ignore
export const sizes: readonly Size[] = [
  { slug: 's-1vcpu-1gb',      memory: 1024,   vcpus: 1,  disk: 25,  transfer: 1,  monthly: 6,    hourly: 0.00892999954521656, description: 'Basic',               at: everywhere, isSold: true },
  { slug: 's-2vcpu-4gb',      memory: 4096,   vcpus: 2,  disk: 80,  transfer: 4,  monthly: 24,   hourly: 0.0357100009918213,  description: 'Basic',               at: everywhere, isSold: true },
  { slug: 's-4vcpu-8gb',      memory: 8192,   vcpus: 4,  disk: 160, transfer: 5,  monthly: 48,   hourly: 0.0714300006628036,  description: 'Basic',               at: everywhere, isSold: true },
  { slug: 'g-2vcpu-8gb',      memory: 8192,   vcpus: 2,  disk: 25,  transfer: 4,  monthly: 63,   hourly: 0.09375,             description: 'General Purpose',     at: ['nyc3', 'fra1', 'ams3'], isSold: true },
  { slug: 'c-4',              memory: 8192,   vcpus: 4,  disk: 50,  transfer: 5,  monthly: 84,   hourly: 0.125,               description: 'CPU-Optimized',       at: ['nyc1', 'sgp1'], isSold: true },
  { slug: 's-1vcpu-3gb',      memory: 3072,   vcpus: 1,  disk: 60,  transfer: 3,  monthly: 15,   hourly: 0.0223199997097254,  description: 'Legacy Basic',        at: [], isSold: false },
  { slug: 'gpu-h100x1-80gb',  memory: 245760, vcpus: 20, disk: 720, transfer: 15, monthly: 2522, hourly: 3.3900001049041748,  description: 'H100 GPU - 1X',       at: ['nyc2', 'ams3'], isSold: true, isGpu: true },
];

interface SystemImage {
  id: number;
  slug: string;
  name: string;
  distribution: string;
}

export const images: readonly SystemImage[] = [
  { id: 160232537, slug: 'ubuntu-24-04-x64', name: '24.04 (LTS) x64', distribution: 'Ubuntu' },
  { id: 159651797, slug: 'debian-12-x64', name: '12 x64', distribution: 'Debian' },
];

/** `soldOut` has what tests or people have sold out beyond the catalogue: `size@region`, or a size everywhere. */
export function isAvailable(size: Size, region: string, soldOut: ReadonlySet<string>): boolean {
  const isOpen = regions.some(({ slug, isOpen }) => slug === region && isOpen);
  return isOpen && regionsOf(size, soldOut).includes(region);
}

/** Where DigitalOcean lists a size is where it can be had. */
function regionsOf({ slug, at, isSold }: Size, soldOut: ReadonlySet<string>): string[] {
  if (!isSold || soldOut.has(slug)) return [];
  return at.filter((region) => !soldOut.has(`${slug}@${region}`));
}

export function sizeView(size: Size, soldOut: ReadonlySet<string>): object {
  const { slug, memory, vcpus, disk, transfer, monthly, hourly, description, isGpu } = size;
  const there = regionsOf(size, soldOut);
  return {
    slug,
    memory,
    vcpus,
    disk,
    transfer,
    price_monthly: monthly,
    price_hourly: hourly,
    regions: there,
    available: there.length > 0,
    description,
    disk_info: [{ type: 'local', size: { amount: disk, unit: 'gib' } }],
    ...(isGpu ? { gpu_info: { count: 1, model: 'nvidia_h100', vram: { amount: 80, unit: 'gib' } } } : {}),
  };
}

export function regionView({ slug, name, isOpen }: Region, soldOut: ReadonlySet<string>): object {
  return {
    name,
    slug,
    features: ['backups', 'ipv6', 'metadata', 'install_agent', 'storage', 'image_transfer'],
    available: isOpen,
    sizes: sizes.filter((size) => regionsOf(size, soldOut).includes(slug)).map((size) => size.slug),
  };
}

export function regionOf(slug: string, soldOut: ReadonlySet<string>): object {
  return regionView(
    regions.find((region) => region.slug === slug)!,
    soldOut,
  );
}

export function imageView({ id, slug, name, distribution }: SystemImage): object {
  return {
    id,
    name,
    distribution,
    slug,
    public: true,
    regions: everywhere,
    created_at: '2024-04-25T13:23:17Z',
    min_disk_size: 7,
    type: 'base',
    size_gigabytes: 0.66,
    description: `${distribution} ${name}`,
    tags: [],
    status: 'available',
    error_message: '',
  };
}

export function imageOf({ imageId }: Pick<Server, 'imageId'>): object {
  return imageView(images.find(({ id }) => id === imageId)!);
}
