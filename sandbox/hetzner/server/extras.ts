import type { Operation } from '../../cloud/http/operation.js';
import type { Extra } from '../../cloud/kept.js';
import { dataCenterView, locationView } from '../catalogue.js';
import { notFound } from '../errors.js';
import { primaryIpOffset } from './view.js';

const plain = { labels: {}, protection: { delete: false } };

function extraOf(
  { world, project, ids }: Parameters<Operation>[0],
  kind: Extra['kind'],
  word: string,
): Extra {
  const { extras = [] } = world.project(project);
  const found = extras.find((extra) => extra.kind === kind && extra.id === Number(ids[0]));
  if (!found) throw notFound(word);
  return found;
}

export const getVolume: Operation = (call) => {
  const { id, name, created, location, serverId } = extraOf(call, 'volume', 'volume');
  return {
    volume: {
      ...plain,
      id,
      name,
      created,
      format: null,
      linux_device: `/dev/disk/by-id/scsi-0HC_Volume_${id}`,
      location: locationView(location),
      server: serverId,
      size: 10,
      status: 'available',
    },
  };
};

export const getFloatingIp: Operation = (call) => {
  const { id, name, created, location, serverId } = extraOf(call, 'address', 'floating ip');
  return {
    floating_ip: {
      ...plain,
      id,
      name: `floating-${id}`,
      ip: name,
      type: 'ipv4',
      blocked: false,
      created,
      description: null,
      dns_ptr: [],
      home_location: locationView(location),
      server: serverId,
    },
  };
};

export const getPrimaryIp: Operation = ({ world, project, ids }) => {
  const id = Number(ids[0]);
  const server = world.project(project).servers.find((each) => each.id === id - primaryIpOffset);
  if (!server) throw notFound('primary ip');
  return {
    primary_ip: {
      ...plain,
      id,
      name: `primary-${id}`,
      ip: server.ipv4,
      type: 'ipv4',
      auto_delete: server.keepsAddress !== true,
      assignee_id: server.id,
      assignee_type: 'server',
      blocked: false,
      created: server.created,
      dns_ptr: [],
      location: locationView(server.location),
      datacenter: dataCenterView(server.location, world.soldOut),
    },
  };
};
