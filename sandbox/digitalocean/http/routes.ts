import { createHash } from 'node:crypto';

import { z } from 'zod';

import type { Operation } from '../../cloud/http/operation.js';
import type { SshKey } from '../../cloud/kept.js';
import { images, imageView, regions, regionView, sizes, sizeView } from '../catalogue.js';
import { parse, tagName } from '../droplet/create.js';
import {
  actOnDroplet,
  associated,
  deleteDroplet,
  getAction,
  getDroplet,
  listActions,
  listDroplets,
  makeDroplet,
} from '../droplet/operations.js';
import { notFound, unprocessable } from '../errors.js';
import { listOf } from './list.js';

const sshKey = z.object({
  name: z.string().min(1),
  public_key: z.string().regex(/^(ssh-(rsa|ed25519)|ecdsa-\S+) \S+/, 'Key invalid'),
});

const keyView = ({ id, name, fingerprint, public_key }: SshKey) => ({ id, name, fingerprint, public_key });

/** By its id or its fingerprint. */
const isCalled =
  (word = '') =>
  ({ id, fingerprint }: SshKey) =>
    id === Number(word) || fingerprint === word;

const account: Operation = () => ({
  account: {
    droplet_limit: 2_000,
    floating_ip_limit: 3,
    email: 'sammy@example.com',
    name: 'Sammy',
    uuid: 'b6fr89dbf6d9156cace5f3c78dc9851d957381ef',
    email_verified: true,
    status: 'active',
    status_message: '',
  },
});

/** Every call that is served. */
export const routes: Record<string, Operation> = {
  'GET /account': account,

  'GET /droplets': listDroplets,
  'POST /droplets': makeDroplet,
  'GET /droplets/:id': getDroplet,
  'DELETE /droplets/:id': deleteDroplet,
  'GET /droplets/:id/destroy_with_associated_resources': associated,
  'GET /droplets/:id/actions': listActions,
  'POST /droplets/:id/actions': actOnDroplet,
  'GET /droplets/:id/actions/:id': getAction,
  'GET /actions': listActions,
  'GET /actions/:id': getAction,

  'GET /sizes': (call) => listOf('sizes', sizes, call, (size) => sizeView(size, call.world.soldOut)),
  'GET /regions': (call) =>
    listOf('regions', regions, call, (region) => regionView(region, call.world.soldOut)),
  'GET /images': (call) => listOf('images', images, call, imageView),
  'GET /images/:id': ({ ids: [word] }) => {
    const found = images.find(({ id, slug }) => slug === word || id === Number(word));
    if (!found) throw notFound();
    return { image: imageView(found) };
  },

  'GET /account/keys': (call) => listOf('ssh_keys', call.world.project(call.project).keys, call, keyView),
  'POST /account/keys': ({ world, project, body }) => {
    const input = parse(sshKey, body);
    const { keys } = world.project(project);
    const blob = Buffer.from(input.public_key.split(' ')[1] ?? '', 'base64');
    const digest = createHash('md5').update(blob).digest('hex');
    const fingerprint = digest.match(/../g)!.join(':');
    if (keys.some((key) => key.fingerprint === fingerprint))
      throw unprocessable('SSH Key is already in use on your account');
    const made = { id: world.newId(), ...input, fingerprint, labels: {}, created: world.stamp() };
    keys.push(made);
    world.changed();
    return { status: 201, ssh_key: keyView(made) };
  },
  'GET /account/keys/:id': ({ world, project, ids: [word] }) => {
    const found = world.project(project).keys.find(isCalled(word));
    if (!found) throw notFound();
    return { ssh_key: keyView(found) };
  },
  'DELETE /account/keys/:id': ({ world, project, ids: [word] }) => {
    const { keys } = world.project(project);
    const at = keys.findIndex(isCalled(word));
    if (at < 0) throw notFound();
    keys.splice(at, 1);
    world.changed();
    return { status: 204 };
  },

  'GET /tags': (call) => {
    const { tags = [], servers } = call.world.project(call.project);
    return listOf('tags', tags, call, (name) => tagView(name, servers));
  },
  'POST /tags': ({ world, project, body }) => {
    const { name } = parse(z.object({ name: tagName }), body);
    const found = world.project(project);
    found.tags = [...new Set([...(found.tags ?? []), name])];
    world.changed();
    return { status: 201, tag: tagView(name, found.servers) };
  },
  'GET /tags/:id': ({ world, project, ids: [name = ''] }) => {
    const { tags, servers } = world.project(project);
    if (!tags?.includes(name)) throw notFound();
    return { tag: tagView(name, servers) };
  },
  'DELETE /tags/:id': ({ world, project, ids: [name = ''] }) => {
    const found = world.project(project);
    if (!found.tags?.includes(name)) throw notFound();
    found.tags = found.tags.filter((tag) => tag !== name);
    for (const { labels } of found.servers) delete labels[name];
    world.changed();
    return { status: 204 };
  },
};

function tagView(name: string, servers: readonly { labels: object }[]): object {
  const count = servers.filter(({ labels }) => Object.hasOwn(labels, name)).length;
  const none = { count: 0 };
  return {
    name,
    resources: {
      count,
      droplets: { count },
      images: none,
      volumes: none,
      volume_snapshots: none,
      databases: none,
    },
  };
}
