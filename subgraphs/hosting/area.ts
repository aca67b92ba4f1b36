import { defineArea } from '#platform/area.js';

import { hostingEnv } from './env.js';
import { hostingInputRules } from './input-rules.js';
import { hostingMigrations } from './migrations/index.js';
import { hostingPermissions } from './permissions.js';
import { hostingSealedColumns } from './sealed-columns.js';
import { createHosting, hostingEntities } from './subgraph.js';

/** Servers at providers, from the wish to the node: see README.md. */
export const hostingArea = defineArea({
  name: 'hosting',
  entities: hostingEntities,
  migrations: hostingMigrations,
  sealedColumns: hostingSealedColumns,
  permissions: hostingPermissions,
  inputRules: hostingInputRules,
  settings: hostingEnv,
  create: createHosting,
});
