import { dueSweep } from '#platform/membership/due-sweep.js';

import { advancePlacementKind, claimMs } from './kinds.js';

/** Has placements take their next steps. */
export const placementsDueSweep = dueSweep({
  name: 'placement.due',
  everyMs: 2_000,
  table: 'hosting.placement',
  claimMs,
  job: advancePlacementKind,
  payload: (tenantId, placementId) => ({ tenantId, placementId }),
});
