import { defineArea } from '#platform/area.js';

import { fleetEnv } from './env.js';
import { fleetInputRules } from './input-rules.js';
import { fleetMigrations } from './migrations/index.js';
import { fleetPermissions } from './permissions.js';
import { fleetRevocations } from './revocations.js';
import { fleetSealedColumns } from './sealed-columns.js';
import { createFleet, fleetEntities } from './subgraph.js';

/** The Cloud OS servers of tenants: see README.md. */
export const fleetArea = defineArea({
  name: 'fleet',
  entities: fleetEntities,
  migrations: fleetMigrations,
  sealedColumns: fleetSealedColumns,
  permissions: fleetPermissions,
  inputRules: fleetInputRules,
  forwardedPaths: ['/notifications'],
  // Measurements, sums that are kept of the rows themselves, and what was told of them.
  erasure: { withoutExport: /^(metrics_|(client_mark|client_told|instance_count)$)/ },
  settings: fleetEnv,
  revocations: fleetRevocations,
  create: createFleet,
});
