import { defineArea } from '#platform/area.js';

import { billingEnv } from './env.js';
import { billingInputRules } from './input-rules.js';
import { billingMigrations } from './migrations/index.js';
import { billingPermissions } from './permissions.js';
import { billingEntities, createBilling } from './subgraph.js';

/** What tenants may have, and what it costs them: see README.md. */
export const billingArea = defineArea({
  name: 'billing',
  entities: billingEntities,
  migrations: billingMigrations,
  permissions: billingPermissions,
  inputRules: billingInputRules,
  forwardedPaths: ['/licences'],
  webhookPaths: ['/webhooks/stripe'],
  erasure: { doors: { commission: 'take_commission' } },
  settings: billingEnv,
  create: createBilling,
});
