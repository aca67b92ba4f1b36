import DataLoader from 'dataloader';

import { notFound } from '#platform/errors.js';
import { ApiError } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { lockServer, move } from './move.service.js';
import { Server } from './server.entity.js';
import type { ServerFilter } from './server.inputs.js';
import { phasesOf, ServerPhase } from './server.phases.js';

/** Servers as tenants see them. */
export class ServerService {
  /** In the order in which they were asked for. */
  async page(operation: Operation, args: PageArgs, filter: ServerFilter): Promise<Page<Server>> {
    const window = pageWindow(args);
    const { tenantId } = operation;
    const { status, provider } = filter;
    const which = {
      tenantId,
      ...(status == null ? { deletedAt: null } : { phase: { $in: phasesOf(status) } }),
      ...(provider == null ? {} : { provider }),
    };
    const rows = await operation.em.find(
      Server,
      { ...which, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Server, which));
  }

  async get(operation: Operation, id: string): Promise<Server> {
    const server = await this.find(operation, id);
    if (!server) throw notFound('Server');
    return server;
  }

  async find({ em, tenantId }: Operation, id: string): Promise<Server | null> {
    return em.findOne(Server, { tenantId, id });
  }

  async ofInstance(operation: Operation, instanceId: string): Promise<Server | null> {
    const loader = operation.once(
      ServerService,
      () => new DataLoader((ids: readonly string[]) => this.load(operation, ids)),
    );
    return loader.load(instanceId);
  }

  /**
   * Protection holds against decommissioning in the panel, and calls it off while the node is drained: nothing is lost by
   * then.
   */
  async protect(operation: Operation, id: string, isProtected: boolean): Promise<Server> {
    const { tenantId, clock } = operation;
    return operation.write(async ({ em, publish, audit }) => {
      const server = await lockServer(em, tenantId, id);
      if (!server) throw notFound('Server');
      audit({ target: id, changes: { isProtected } });
      if (server.isProtected === isProtected) return server;
      const isDrained = server.phase === ServerPhase.DRAINING;
      const isEnding = server.phase === ServerPhase.DELETED || server.phase === ServerPhase.DELETING;
      if (isEnding || (isDrained && server.readyAt === null))
        throw new ApiError('CONFLICT', 'The server is on its way out', { reason: 'SERVER_DELETED' });
      const calledOff = isDrained ? { drainUntil: null, dueAt: null } : {};
      const phase = isDrained ? ServerPhase.READY : server.phase;
      move({ publish }, server, phase, clock.now(), { isProtected, ...calledOff });
      return server;
    });
  }

  private async load({ em, tenantId }: Operation, ids: readonly string[]): Promise<(Server | null)[]> {
    const found = await em.find(Server, { tenantId, instanceId: { $in: [...ids] } }, { limit: ids.length });
    return ids.map((id) => found.find(({ instanceId }) => instanceId === id) ?? null);
  }
}
