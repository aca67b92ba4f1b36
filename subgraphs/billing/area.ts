import { defineArea } from '#platform/area.js';

import { billingEnv } from './env.js';
import { billingMigrations } from './migrations/index.js';
import { billingPermissions } from './permissions.js';
import { createBilling } from './subgraph.js';

/** What tenants may have, and what it costs them: see README.md. */
export const billingArea = defineArea({
  name: 'billing',
  entities: [],
  migrations: billingMigrations,
  permissions: billingPermissions,
  settings: billingEnv,
  create: createBilling,
});
