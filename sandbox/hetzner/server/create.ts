import { randomBytes } from 'node:crypto';

import { z } from 'zod';

import type { Action, Project, Server } from '../../cloud/kept.js';
import type { World } from '../../cloud/world.js';
import { images, isAvailable, locations, sizes, type Size } from '../catalogue.js';
import { HetznerError, invalidInput } from '../errors.js';

const reference = z.union([z.string(), z.int()]);
const hostName =
  /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const labelValue = /^([a-z0-9A-Z]([a-z0-9A-Z._-]{0,61}[a-z0-9A-Z])?)?$/;
const longestUserData = 32 * 1024;

export const labels = z.record(z.string(), z.string().regex(labelValue, 'is no label value'));
export const serverName = z.string().max(253).regex(hostName, 'must be a valid hostname');

const request = z.object({
  name: serverName,
  server_type: reference,
  image: reference,
  location: reference.optional(),
  datacenter: reference.optional(),
  start_after_create: z.boolean().default(true),
  ssh_keys: z.array(reference).default([]),
  user_data: z.string().default(''),
  labels: labels.default({}),
  public_net: z.looseObject({}).optional(),
  automount: z.boolean().optional(),
  volumes: z.array(z.int()).max(0).optional(),
  networks: z.array(z.int()).max(0).optional(),
  firewalls: z.array(z.looseObject({})).max(0).optional(),
});

export interface Created {
  server: Server;
  action: Action;
  nextActions: Action[];
  rootPassword: string | null;
}

/** Reads what was sent, or says which field is wrong as Hetzner does. */
export function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidInput(issue?.path.join('.') || 'body', issue?.message ?? 'is invalid');
}

export function createServer(world: World, projectName: string, body: unknown): Created {
  const input = parse(request, body);
  const project = world.project(projectName);
  if (Buffer.byteLength(input.user_data) > longestUserData)
    throw invalidInput('user_data', 'Length must be between 0 and 32768');
  const size = sizes.find(({ id, name }) => name === input.server_type || id === Number(input.server_type));
  if (!size) throw invalidInput('server_type', 'server type not found');
  if (size.deprecation && Date.parse(size.deprecation.unavailable_after) <= world.now())
    throw invalidInput('server_type', `server type ${size.id} is deprecated and unavailable`);
  const location = locationOf(world, size, input.location, input.datacenter);
  const image = images.find(
    ({ id, name, architecture }) =>
      id === Number(input.image) || (name === input.image && architecture === size.architecture),
  );
  if (!image) throw invalidInput('image', 'image not found');
  if (image.architecture !== size.architecture)
    throw invalidInput('image', 'image architecture does not fit the server type');
  for (const key of input.ssh_keys)
    if (!project.keys.some(({ id, name }) => name === key || id === Number(key)))
      throw invalidInput('ssh_keys', 'ssh key not found');
  if (project.servers.some(({ name }) => name.toLowerCase() === input.name.toLowerCase()))
    throw new HetznerError('uniqueness_error', 'server name is already used', {
      fields: [{ name: 'name' }],
    });
  if (!isAvailable(size, location, world.soldOut))
    throw new HetznerError('resource_unavailable', 'server location disabled or server type sold out');
  return place(world, projectName, project, { ...input, size, location, imageId: image.id });
}

function locationOf(
  world: World,
  size: Size,
  wanted: string | number | undefined,
  dataCenter: string | number | undefined,
): string {
  if (wanted === undefined && dataCenter === undefined)
    return size.at.find((name) => isAvailable(size, name, world.soldOut)) ?? size.at[0]!;
  const named = dataCenter === undefined ? wanted : String(dataCenter).replace(/-dc\d+$/, '');
  const place = locations.find(({ id, name }) => name === named || id === Number(named));
  if (!place) throw invalidInput('location', 'location not found');
  if (!size.at.includes(place.name))
    throw invalidInput('server_type', `unsupported location ${place.name} for server type`);
  return place.name;
}

function place(
  world: World,
  projectName: string,
  project: Project,
  wanted: z.infer<typeof request> & { size: Size; location: string; imageId: number },
): Created {
  const id = world.newId();
  const server: Server = {
    id,
    name: wanted.name,
    status: 'initializing',
    created: world.stamp(),
    labels: wanted.labels,
    type: wanted.size.name,
    location: wanted.location,
    imageId: wanted.imageId,
    protection: { delete: false, rebuild: false },
    // TEST-NET-3 and its neighbours (RFC 5737, RFC 2544): nothing is ever there.
    ipv4: `198.18.${Math.floor(id / 254) % 254}.${(id % 254) + 1}`,
    userData: wanted.user_data,
  };
  project.servers.push(server);
  const { createMs, startMs } = world.timing;
  const action = world.begin(projectName, server, 'create_server', 'created', createMs);
  const nextActions = wanted.start_after_create
    ? [world.begin(projectName, server, 'start_server', 'started', createMs + startMs)]
    : [];
  const rootPassword = wanted.ssh_keys.length > 0 ? null : randomBytes(15).toString('base64url');
  return { server, action, nextActions, rootPassword };
}
