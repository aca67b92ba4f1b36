import { createHash } from 'node:crypto';

import type { Marks } from './driver.js';

/** Two panels may share a project at a provider: each leaves the other's servers alone. */
export function panelMark(publicUrl: string): string {
  return createHash('sha256').update(publicUrl).digest('hex').slice(0, 16);
}

export function marksOf(publicUrl: string, { tenantId, id }: { tenantId: string; id: string }): Marks {
  return { panel: panelMark(publicUrl), tenant: tenantId, server: id };
}
