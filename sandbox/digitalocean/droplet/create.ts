import { z } from 'zod';

import type { Action, Server } from '../../cloud/kept.js';
import type { World } from '../../cloud/world.js';
import { images, isAvailable, regions, sizes } from '../catalogue.js';
import { unprocessable } from '../errors.js';

const reference = z.union([z.string(), z.int()]);
const longestUserData = 64 * 1024;
/** Of an account that is new. */
const mostDroplets = 2_000;

export const tagName = z
  .string()
  .max(255)
  .regex(/^[a-zA-Z0-9_\-:]+$/);

const request = z.object({
  name: z
    .string('You must specify a name.')
    .max(255)
    .regex(
      /^[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/,
      'Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)',
    ),
  region: z.string().optional(),
  size: z.string('You specified an invalid size for Droplet creation.'),
  image: z.union([z.string(), z.int()], 'You specified an invalid image for Droplet creation.'),
  ssh_keys: z.array(reference).default([]),
  backups: z.boolean().optional(),
  ipv6: z.boolean().optional(),
  monitoring: z.boolean().optional(),
  tags: z.array(tagName).nullish(),
  user_data: z.string().default(''),
  with_droplet_agent: z.boolean().optional(),
});

/** Reads what was sent, or says what is wrong as DigitalOcean does: in a sentence. */
export function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw unprocessable(parsed.error.issues[0]?.message ?? 'request payload validation failed');
}

/** Any number of droplets may have one name. */
export function createDroplet(
  world: World,
  projectName: string,
  body: unknown,
): { server: Server; action: Action } {
  const input = parse(request, body);
  const project = world.project(projectName);
  if (Buffer.byteLength(input.user_data) > longestUserData)
    throw unprocessable('User data is too large. Max size is 64kb.');
  const size = sizes.find(({ slug }) => slug === input.size);
  if (!size) throw unprocessable('You specified an invalid size for Droplet creation.');
  const image = images.find(({ id, slug }) => slug === input.image || id === Number(input.image));
  if (!image) throw unprocessable('You specified an invalid image for Droplet creation.');
  for (const key of input.ssh_keys)
    if (!project.keys.some(({ id, fingerprint }) => id === Number(key) || fingerprint === key))
      throw unprocessable(`${key} are invalid key identifiers for Droplet creation.`);
  if (project.servers.length >= mostDroplets)
    throw unprocessable('creating this/these droplet(s) will exceed your droplet limit');
  // A prefix (`nyc`) stands for any of its regions.
  const named = regions.filter(({ slug }) => slug.startsWith(input.region ?? ''));
  if (named.length === 0) throw unprocessable('You specified an invalid region for Droplet creation.');
  const open = named.filter(({ isOpen }) => isOpen);
  if (open.length === 0) throw unprocessable('Region is not available');
  const place = open.find(({ slug }) => isAvailable(size, slug, world.soldOut));
  if (!place) throw unprocessable('Size is not available in this region.');
  const id = world.newId();
  const server: Server = {
    id,
    name: input.name,
    status: 'initializing',
    created: world.stamp(),
    labels: Object.fromEntries((input.tags ?? []).map((tag) => [tag, ''])),
    type: size.slug,
    location: place.slug,
    imageId: image.id,
    protection: { delete: false, rebuild: false },
    // Of 198.18.0.0/15 (RFC 2544): nothing is ever there.
    ipv4: `198.19.${Math.floor(id / 254) % 254}.${(id % 254) + 1}`,
    userData: input.user_data,
  };
  project.servers.push(server);
  project.tags = [...new Set([...(project.tags ?? []), ...Object.keys(server.labels)])];
  const { createMs, startMs } = world.timing;
  const action = world.begin(projectName, server, 'create_server', 'started', createMs + startMs);
  return { server, action };
}
