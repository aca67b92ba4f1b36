import { z } from 'zod';

const links = z.object({ pages: z.object({ next: z.string().optional() }).optional() }).optional();

export const droplet = z.object({
  id: z.int(),
  name: z.string(),
  status: z.string(),
  created_at: z.string(),
  tags: z.array(z.string()),
  size_slug: z.string().optional(),
  region: z.object({ slug: z.string() }).optional(),
  volume_ids: z.array(z.string()).default([]),
  networks: z.object({ v4: z.array(z.object({ ip_address: z.string(), type: z.string() })).default([]) }),
});

export const created = z.object({
  droplet,
  links: z.object({ actions: z.array(z.object({ id: z.int(), rel: z.string() })).default([]) }),
});
export const oneDroplet = z.object({ droplet });

const resource = z.array(z.object({ id: z.string(), name: z.string() })).default([]);
export const resources = z.object({
  reserved_ips: resource,
  floating_ips: resource,
  volumes: resource,
  snapshots: resource,
  volume_snapshots: resource,
});
export const droplets = z.object({ droplets: z.array(droplet), links });

export const actions = z.object({
  actions: z.array(z.object({ id: z.int(), status: z.enum(['in-progress', 'completed', 'errored']) })),
  links,
});

export const sizes = z.object({
  sizes: z.array(
    z.object({
      slug: z.string(),
      memory: z.number(),
      vcpus: z.number(),
      disk: z.number(),
      price_monthly: z.number(),
      price_hourly: z.number(),
      regions: z.array(z.string()),
      available: z.boolean(),
      description: z.string(),
      gpu_info: z.unknown().optional(),
    }),
  ),
  links,
});

export const regions = z.object({
  regions: z.array(z.object({ slug: z.string(), name: z.string(), available: z.boolean() })),
  links,
});

export const keys = z.object({ ssh_keys: z.array(z.object({ id: z.int(), name: z.string() })), links });
export const account = z.object({ account: z.object({ status: z.string(), status_message: z.string() }) });
export const nothing = z.object({});

export const failure = z.object({ id: z.string(), message: z.string() });
