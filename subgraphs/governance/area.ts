import { defineArea } from '#platform/area.js';

import { governanceEnv } from './env.js';
import { governanceInputRules } from './input-rules.js';
import { governanceMigrations } from './migrations/index.js';
import { governancePermissions } from './permissions.js';
import { governanceSealedColumns } from './sealed-columns.js';
import { createGovernance, governanceEntities } from './subgraph.js';

/** What has to hold on the nodes of tenants, and whether it does: see README.md. */
export const governanceArea = defineArea({
  name: 'governance',
  entities: governanceEntities,
  migrations: governanceMigrations,
  sealedColumns: governanceSealedColumns,
  permissions: governancePermissions,
  inputRules: governanceInputRules,
  webhookPaths: ['/webhooks/gitops'],
  // Sums that are kept of the rows themselves, and what was told of them.
  erasure: { withoutExport: /^(result_count|score_count|score_mark|score_told)$/ },
  settings: governanceEnv,
  create: createGovernance,
});
