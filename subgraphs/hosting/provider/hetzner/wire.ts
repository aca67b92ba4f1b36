import { z } from 'zod';

const labels = z.record(z.string(), z.string());

export const action = z.object({
  id: z.int(),
  command: z.string(),
  status: z.enum(['running', 'success', 'error']),
  progress: z.number(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});

export const server = z.object({
  id: z.int(),
  name: z.string(),
  status: z.string(),
  created: z.string(),
  labels,
  server_type: z.object({ name: z.string() }).optional(),
  location: z.object({ name: z.string() }).optional(),
  volumes: z.array(z.int()).default([]),
  public_net: z.object({
    ipv4: z.object({ id: z.int().optional(), ip: z.string() }).nullable(),
    floating_ips: z.array(z.int()).default([]),
  }),
});

export const volume = z.object({ volume: z.object({ name: z.string() }) });
export const floatingIp = z.object({ floating_ip: z.object({ ip: z.string(), type: z.string() }) });
export const primaryIp = z.object({ primary_ip: z.object({ ip: z.string(), auto_delete: z.boolean() }) });

const pagination = z.object({ pagination: z.object({ next_page: z.int().nullable() }) }).optional();

export const created = z.object({ server, action, next_actions: z.array(action) });
export const oneServer = z.object({ server });
export const servers = z.object({ servers: z.array(server), meta: pagination });
export const actions = z.object({ actions: z.array(action), meta: pagination });
export const deleted = z.object({ action: action.optional() });

export const locations = z.object({
  locations: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      country: z.string(),
      city: z.string(),
      network_zone: z.string(),
    }),
  ),
  meta: pagination,
});

const price = z.object({ net: z.string() });
const deprecation = z.object({ unavailable_after: z.string() }).nullish();

export const serverTypes = z.object({
  server_types: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      cores: z.number(),
      memory: z.number(),
      disk: z.number(),
      architecture: z.string(),
      deprecation,
      prices: z.array(z.object({ location: z.string(), price_hourly: price, price_monthly: price })),
      // Answers of before 2025 have no places of their own; where a size is priced it is sold.
      locations: z
        .array(z.object({ name: z.string(), deprecation, available: z.boolean().optional() }))
        .optional(),
    }),
  ),
  meta: pagination,
});

export const pricing = z.object({
  pricing: z.object({
    currency: z.string(),
    primary_ips: z
      .array(
        z.object({
          type: z.string(),
          prices: z.array(z.object({ location: z.string(), price_hourly: price, price_monthly: price })),
        }),
      )
      .default([]),
  }),
});

export const failure = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z
      .object({
        fields: z.array(z.object({ name: z.string(), messages: z.array(z.string()).optional() })).optional(),
      })
      .nullish(),
  }),
});
