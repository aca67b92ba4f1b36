import { LRUCache } from 'lru-cache';

import type { PageWindow } from '#platform/subgraph/paging.js';

/** Rows that are read by an index in a fraction of a millisecond. */
const few = 100;

/**
 * Whose reading of a list is over in a moment, whatever it finds: of a small page, and of a list that was small when it
 * was last read, as clients of REST ask for all there is.
 */
export class ShortLists {
  private readonly small = new LRUCache<string, true>({ max: 10_000 });

  isShort(tenantId: string, { size }: PageWindow): boolean {
    return size <= few || this.small.has(tenantId);
  }

  /** What was found of the whole list from its beginning on. */
  found(tenantId: string, rows: number, { size }: PageWindow): void {
    if (rows > few) this.small.delete(tenantId);
    else if (rows <= size) this.small.set(tenantId, true);
  }
}
