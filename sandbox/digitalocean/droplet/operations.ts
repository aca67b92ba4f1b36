import { z } from 'zod';

import type { Call, Operation } from '../../cloud/http/operation.js';
import type { Action, Extra, Server } from '../../cloud/kept.js';
import { notFound, pending, unprocessable } from '../errors.js';
import { listOf } from '../http/list.js';
import { createDroplet, parse } from './create.js';
import { actionView, dropletView, isBusy } from './view.js';

export const listDroplets: Operation = (call) => {
  const { world, project, query } = call;
  const tag = query.get('tag_name');
  const name = query.get('name')?.toLowerCase() ?? null;
  if (tag !== null && name !== null) throw unprocessable('name and tag_name can not be combined');
  const found = world
    .project(project)
    .servers.filter(
      (server) =>
        (tag === null || Object.hasOwn(server.labels, tag)) &&
        (name === null || server.name.toLowerCase() === name),
    );
  return listOf('droplets', found, call, (server) => dropletView(world, project, server));
};

export const makeDroplet: Operation = ({ world, project, body, url }) => {
  const { server, action } = createDroplet(world, project, body);
  return {
    status: 202,
    droplet: dropletView(world, project, server),
    links: { actions: [{ id: action.id, rel: 'create', href: `${url.origin}/v2/actions/${action.id}` }] },
  };
};

export const getDroplet: Operation = ({ world, project, ids }) => ({
  droplet: dropletView(world, project, dropletOf({ world, project }, ids[0])),
});

/** What stays when it is destroyed, as far as the token's scopes show it. */
export const associated: Operation = (call) => {
  const { world, project, ids } = call;
  const { id } = dropletOf(call, ids[0]);
  const { scopes } = call.token;
  const shown = (kind: Extra['kind'], scope: string) =>
    scopes && !scopes.includes(scope)
      ? []
      : world
          .extrasOf(project, id, kind)
          .map((extra) => ({ id: String(extra.id), name: extra.name, cost: '1.00' }));
  const addresses = shown('address', 'reserved_ip:read');
  return {
    reserved_ips: addresses,
    floating_ips: addresses,
    snapshots: shown('snapshot', 'image:read'),
    volumes: shown('volume', 'block_storage:read'),
    volume_snapshots: [],
  };
};

export const deleteDroplet: Operation = ({ world, project, ids }) => {
  const server = dropletOf({ world, project }, ids[0]);
  if (isBusy(world, server)) throw pending();
  server.status = 'deleting';
  world.begin(project, server, 'delete_server', 'deleted', world.timing.deleteMs);
  return { status: 204 };
};

const commands: Readonly<Record<string, 'started' | 'stopped'>> = {
  power_on: 'started',
  power_off: 'stopped',
  shutdown: 'stopped',
};

export const actOnDroplet: Operation = ({ world, project, ids, body }) => {
  const server = dropletOf({ world, project }, ids[0]);
  const { type } = parse(z.object({ type: z.string() }), body);
  const kind = commands[type];
  if (!kind) throw unprocessable('The action type is not supported here.');
  if (isBusy(world, server)) throw pending();
  server.status = kind === 'started' ? 'starting' : 'stopping';
  const { startMs, stopMs } = world.timing;
  const action = world.begin(project, server, type, kind, kind === 'started' ? startMs : stopMs);
  return { status: 201, action: actionView(world, action, server) };
};

/** Newest first, those of droplets that are gone included. */
export const listActions: Operation = (call) => {
  const { world, project, ids } = call;
  const [droplet] = ids;
  if (droplet !== undefined) dropletOf(call, droplet);
  const found = world
    .project(project)
    .actions.filter(({ resources }) => droplet === undefined || resources[0]!.id === Number(droplet))
    .toReversed();
  return listOf('actions', found, call, (action) => actionView(world, action, placeOf(call, action)));
};

export const getAction: Operation = (call) => {
  const { world, project, ids } = call;
  const found = world.project(project).actions.find(({ id }) => id === Number(ids.at(-1)));
  if (!found) throw notFound();
  return { action: actionView(world, found, placeOf(call, found)) };
};

/** Of a droplet that is gone it is not known any more. */
function placeOf({ world, project }: Pick<Call, 'world' | 'project'>, action: Action) {
  const { servers } = world.project(project);
  return { location: servers.find(({ id }) => id === action.resources[0]!.id)?.location ?? 'nyc3' };
}

function dropletOf({ world, project }: Pick<Call, 'world' | 'project'>, id = ''): Server {
  const server = world.project(project).servers.find((each) => each.id === Number(id));
  if (!server) throw notFound();
  return server;
}
