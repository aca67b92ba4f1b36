import { z } from 'zod';

import type { Operation } from '../../cloud/http/operation.js';
import type { Project, Server } from '../../cloud/kept.js';
import { HetznerError, notFound } from '../errors.js';
import { labelSelector } from '../http/label-selector.js';
import { listOf } from '../http/list.js';
import { createServer, labels, parse, serverName } from './create.js';
import { actionView, serverView } from './view.js';

export const listServers: Operation = ({ world, project, query }) => {
  const name = query.get('name');
  const statuses = query.getAll('status');
  const selector = query.get('label_selector');
  const matches = selector === null || selector === '' ? () => true : labelSelector(selector);
  const found = world
    .project(project)
    .servers.filter(
      (server) =>
        (name === null || server.name === name) &&
        (statuses.length === 0 || statuses.includes(server.status)) &&
        matches(server.labels),
    );
  return listOf('servers', found, query, (server) => serverView(world, project, server));
};

export const makeServer: Operation = ({ world, project, body }) => {
  const { server, action, nextActions, rootPassword } = createServer(world, project, body);
  return {
    status: 201,
    server: serverView(world, project, server),
    action: actionView(world, action),
    next_actions: nextActions.map((next) => actionView(world, next)),
    root_password: rootPassword,
  };
};

export const getServer: Operation = ({ world, project, ids }) => ({
  server: serverView(world, project, serverOf(world.project(project), ids)),
});

export const updateServer: Operation = ({ world, project, ids, body }) => {
  const input = parse(z.object({ name: serverName.optional(), labels: labels.optional() }), body);
  const found = world.project(project);
  const server = serverOf(found, ids);
  if (
    input.name !== undefined &&
    found.servers.some(({ id, name }) => id !== server.id && name === input.name)
  )
    throw new HetznerError('uniqueness_error', 'server name is already used');
  Object.assign(server, input);
  world.changed();
  return { server: serverView(world, project, server) };
};

export const deleteServer: Operation = ({ world, project, ids }) => {
  const server = serverOf(world.project(project), ids);
  if (server.protection.delete) throw new HetznerError('protected', 'server deletion is protected');
  if (server.status === 'deleting') throw new HetznerError('locked', 'server is locked');
  server.status = 'deleting';
  const action = world.begin(project, server, 'delete_server', 'deleted', world.timing.deleteMs);
  return { action: actionView(world, action) };
};

const commands: Record<string, { command: string; kind: 'started' | 'stopped' }> = {
  poweron: { command: 'start_server', kind: 'started' },
  poweroff: { command: 'stop_server', kind: 'stopped' },
  shutdown: { command: 'shutdown_server', kind: 'stopped' },
};

export const actOnServer: Operation = ({ world, project, ids: [id = '', command = ''], body }) => {
  const server = serverOf(world.project(project), [id]);
  if (command === 'change_protection') {
    const { delete: of } = parse(
      z.object({ delete: z.boolean().optional(), rebuild: z.boolean().optional() }),
      body,
    );
    server.protection = { delete: of ?? server.protection.delete, rebuild: of ?? server.protection.rebuild };
    const action = world.begin(project, server, 'change_protection', 'ended', 0);
    return { status: 201, action: actionView(world, action) };
  }
  const known = commands[command];
  if (!known) throw notFound('action');
  server.status = known.kind === 'started' ? 'starting' : 'stopping';
  const { startMs, stopMs } = world.timing;
  const afterMs = known.kind === 'started' ? startMs : stopMs;
  const action = world.begin(project, server, known.command, known.kind, afterMs);
  return { status: 201, action: actionView(world, action) };
};

export const listServerActions: Operation = ({ world, project, ids, query }) => {
  const { id } = serverOf(world.project(project), ids);
  const found = world
    .project(project)
    .actions.filter(({ resources }) => resources.some((resource) => resource.id === id));
  return listOf('actions', found, query, (action) => actionView(world, action));
};

function serverOf({ servers }: Project, [id = '']: readonly string[]): Server {
  const server = servers.find((each) => each.id === Number(id));
  if (!server) throw notFound('server');
  return server;
}
