import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { Placement } from './placement.entity.js';
import type { PlacementFilter } from './placement.inputs.js';

/** Placements as jobs left them. */
export class PlacementService {
  async page(operation: Operation, args: PageArgs, { status }: PlacementFilter): Promise<Page<Placement>> {
    const window = pageWindow(args);
    const { tenantId, em } = operation;
    const which = {
      tenantId,
      ...(status === 'REMOVED' ? {} : { deletedAt: null }),
      ...(status == null ? {} : { status }),
    };
    const rows = await em.find(
      Placement,
      { ...which, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => em.count(Placement, which));
  }

  async get(operation: Operation, id: string): Promise<Placement> {
    const placement = await this.find(operation, id);
    if (!placement) throw notFound('Placement');
    return placement;
  }

  /** Removed ones too, for a day. */
  async find({ em, tenantId }: Operation, id: string): Promise<Placement | null> {
    return em.findOne(Placement, { tenantId, id });
  }
}
