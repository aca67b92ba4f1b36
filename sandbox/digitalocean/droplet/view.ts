import type { Action, Server, ServerStatus } from '../../cloud/kept.js';
import type { World } from '../../cloud/world.js';
import { imageOf, regionOf, sizes, sizeView } from '../catalogue.js';

/** DigitalOcean has no word for a droplet on its way out: it is there, locked, until it is not. */
const statuses: Readonly<Record<ServerStatus, string>> = {
  initializing: 'new',
  starting: 'new',
  running: 'active',
  stopping: 'active',
  off: 'off',
  deleting: 'active',
};

/** Times on the wire have whole seconds, and Z. */
const utc = (time: string) => time.replace('+00:00', 'Z');

/** Whether something that was begun with it has yet to end. */
export function isBusy({ contents }: World, { id }: Server): boolean {
  return contents.steps.some(({ serverId }) => serverId === id);
}

/** A droplet as it is on the wire. It has no address before it is on. */
export function dropletView(world: World, project: string, server: Server): object {
  const { id, name, status, created, labels, type, location, ipv4 } = server;
  const size = sizes.find(({ slug }) => slug === type)!;
  const { memory, vcpus, disk } = size;
  const isNew = statuses[status] === 'new';
  const [a, b] = ipv4.split('.');
  return {
    id,
    name,
    memory,
    vcpus,
    disk,
    disk_info: [{ type: 'local', size: { amount: disk, unit: 'gib' } }],
    locked: isBusy(world, server),
    status: statuses[status],
    kernel: null,
    created_at: utc(created),
    features: ['droplet_agent', 'private_networking'],
    backup_ids: [],
    next_backup_window: null,
    snapshot_ids: world.extrasOf(project, id, 'snapshot').map((extra) => extra.id),
    image: imageOf(server),
    volume_ids: world.extrasOf(project, id, 'volume').map((extra) => String(extra.id)),
    size: sizeView(size, world.soldOut),
    size_slug: type,
    networks: {
      v4: isNew
        ? []
        : [
            { ip_address: `10.${id % 200}.0.2`, netmask: '255.255.240.0', gateway: '', type: 'private' },
            { ip_address: ipv4, netmask: '255.255.240.0', gateway: `${a}.${b}.0.1`, type: 'public' },
          ],
      v6: [],
    },
    region: regionOf(location, world.soldOut),
    tags: Object.keys(labels),
    vpc_uuid: '760e09ef-dc84-11e8-981e-3cfdfeaae000',
  };
}

const types: Readonly<Record<string, string>> = { create_server: 'create', delete_server: 'destroy' };
const ends = { running: 'in-progress', success: 'completed', error: 'errored' } as const;

export function actionView(world: World, action: Action, { location }: Pick<Server, 'location'>): object {
  const { id, status, command, started, finished, resources } = action;
  return {
    id,
    status: ends[status],
    type: types[command] ?? command,
    started_at: utc(started),
    completed_at: finished === null ? null : utc(finished),
    resource_id: resources[0]!.id,
    resource_type: 'droplet',
    region: regionOf(location, world.soldOut),
    region_slug: location,
  };
}
