import { dueSweep } from '#platform/membership/due-sweep.js';

import { claimMs, lookKind } from './kinds.js';

/** Has repositories looked at that are due. */
export const gitOpsDueSweep = dueSweep({
  name: 'gitops.due',
  everyMs: 2_000,
  table: 'governance.gitops_config',
  column: 'next_check_at',
  atOnce: 50,
  claimMs,
  job: lookKind,
  payload: (tenantId, configId) => ({ tenantId, configId }),
});
