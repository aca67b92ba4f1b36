import { createHash } from 'node:crypto';

import { z } from 'zod';

import type { Operation } from '../../cloud/http/operation.js';
import { dataCenterView, images, imageView, locations, pricingView, sizes, sizeView } from '../catalogue.js';
import { HetznerError, invalidInput, notFound } from '../errors.js';
import { labels, parse } from '../server/create.js';
import { getFloatingIp, getPrimaryIp, getVolume } from '../server/extras.js';
import {
  actOnServer,
  deleteServer,
  getServer,
  listServerActions,
  listServers,
  makeServer,
  updateServer,
} from '../server/operations.js';
import { actionView } from '../server/view.js';
import { listOf } from './list.js';

interface Named {
  id: number;
  name: string;
}

/** List and single reads of what is the same for all projects. */
function readOnly<Item extends Named>(
  one: string,
  many: string,
  items: readonly Item[],
  view: (item: Item, soldOut: ReadonlySet<string>) => object,
  isWanted: (item: Item, query: URLSearchParams) => boolean = () => true,
): Record<string, Operation> {
  return {
    [`GET /${many}`]: ({ world, query }) => {
      const name = query.get('name');
      const found = items.filter((item) => (name === null || item.name === name) && isWanted(item, query));
      return listOf(many, found, query, (item) => view(item, world.soldOut));
    },
    [`GET /${many}/:id`]: ({ world, ids }) => {
      const found = items.find(({ id }) => id === Number(ids[0]));
      if (!found) throw notFound(one);
      return { [one]: view(found, world.soldOut) };
    },
  };
}

const sshKey = z.object({
  name: z.string().min(1),
  public_key: z.string().regex(/^(ssh-(rsa|ed25519)|ecdsa-\S+) \S+/, 'is no SSH key'),
  labels: labels.default({}),
});

/** Every call that is served. */
export const routes: Record<string, Operation> = {
  'GET /servers': listServers,
  'POST /servers': makeServer,
  'GET /servers/:id': getServer,
  'PUT /servers/:id': updateServer,
  'DELETE /servers/:id': deleteServer,
  'GET /servers/:id/actions': listServerActions,
  'POST /servers/:id/actions/:id': actOnServer,

  'GET /volumes/:id': getVolume,
  'GET /floating_ips/:id': getFloatingIp,
  'GET /primary_ips/:id': getPrimaryIp,

  'GET /actions': ({ world, project, query }) => {
    const wanted = new Set(query.getAll('id').map(Number));
    if (wanted.size === 0) throw invalidInput('id', 'is required');
    const found = world.project(project).actions.filter(({ id }) => wanted.has(id));
    return listOf('actions', found, query, (action) => actionView(world, action));
  },
  'GET /actions/:id': ({ world, project, ids }) => {
    const found = world.project(project).actions.find(({ id }) => id === Number(ids[0]));
    if (!found) throw notFound('action');
    return { action: actionView(world, found) };
  },

  ...readOnly('server_type', 'server_types', sizes, sizeView),
  ...readOnly('location', 'locations', locations, (place) => place),
  ...readOnly('image', 'images', images, imageView, ({ architecture }, query) => {
    const wanted = query.getAll('architecture');
    return wanted.length === 0 || wanted.includes(architecture);
  }),
  ...readOnly('datacenter', 'datacenters', locations, ({ name }, soldOut) => dataCenterView(name, soldOut)),
  // Hetzner names the place that is the least full.
  'GET /datacenters': ({ world, query }) => ({
    ...listOf('datacenters', locations, query, ({ name }) => dataCenterView(name, world.soldOut)),
    recommendation: locations[0]!.id,
  }),
  'GET /pricing': () => ({ pricing: pricingView() }),

  'GET /ssh_keys': ({ world, project, query }) => {
    const name = query.get('name');
    const found = world.project(project).keys.filter((key) => name === null || key.name === name);
    return listOf('ssh_keys', found, query, (key) => key);
  },
  'POST /ssh_keys': ({ world, project, body }) => {
    const input = parse(sshKey, body);
    const { keys } = world.project(project);
    if (keys.some(({ name }) => name === input.name))
      throw new HetznerError('uniqueness_error', 'SSH key name is already used');
    const blob = Buffer.from(input.public_key.split(' ')[1] ?? '', 'base64');
    const digest = createHash('md5').update(blob).digest('hex');
    const made = {
      id: world.newId(),
      ...input,
      fingerprint: digest.match(/../g)!.join(':'),
      created: world.stamp(),
    };
    keys.push(made);
    world.changed();
    return { status: 201, ssh_key: made };
  },
  'GET /ssh_keys/:id': ({ world, project, ids }) => {
    const found = world.project(project).keys.find(({ id }) => id === Number(ids[0]));
    if (!found) throw notFound('ssh_key');
    return { ssh_key: found };
  },
  'DELETE /ssh_keys/:id': ({ world, project, ids }) => {
    const { keys } = world.project(project);
    const at = keys.findIndex(({ id }) => id === Number(ids[0]));
    if (at < 0) throw notFound('ssh_key');
    keys.splice(at, 1);
    world.changed();
    return { status: 204 };
  },
};
