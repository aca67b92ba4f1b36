import type { Action, Server } from '../../cloud/kept.js';
import type { World } from '../../cloud/world.js';
import { dataCenterView, imageView, images, locationView, sizes, sizeView } from '../catalogue.js';

/** Each server has its address from its beginning, by an id that is made of its own. */
export const primaryIpOffset = 1_000_000;

/** A server as it is on the wire. */
export function serverView(world: World, project: string, server: Server): object {
  const { id, name, status, created, labels, type, location, imageId, protection, ipv4 } = server;
  const size = sizes.find((each) => each.name === type)!;
  return {
    id,
    name,
    status,
    created,
    labels,
    server_type: sizeView(size, world.soldOut),
    location: locationView(location),
    datacenter: dataCenterView(location, world.soldOut),
    image: imageView(images.find((image) => image.id === imageId)!),
    iso: null,
    locked: status === 'initializing' || status === 'deleting',
    protection,
    public_net: {
      ipv4: { id: id + primaryIpOffset, ip: ipv4, blocked: false, dns_ptr: `static.${ipv4}.example.com` },
      ipv6: { id: id + 2_000_000, ip: `2001:db8:${id.toString(16)}::/64`, blocked: false, dns_ptr: [] },
      floating_ips: world.extrasOf(project, id, 'address').map((extra) => extra.id),
      firewalls: [],
    },
    private_net: [],
    backup_window: null,
    rescue_enabled: false,
    included_traffic: 21_990_232_555_520,
    ingoing_traffic: 0,
    outgoing_traffic: 0,
    primary_disk_size: size.disk,
    load_balancers: [],
    volumes: world.extrasOf(project, id, 'volume').map((extra) => extra.id),
    placement_group: null,
  };
}

/** An action, with as much of its way behind it as time has passed. */
export function actionView(world: World, action: Action): object {
  if (action.status !== 'running') return action;
  const step = world.contents.steps.find(({ actionId }) => actionId === action.id);
  const began = Date.parse(action.started);
  const whole = (step?.at ?? Infinity) - began;
  const progress = Math.max(0, Math.min(99, Math.floor(((world.now() - began) / whole) * 100)));
  return { ...action, progress };
}
