import { defineArea } from '#platform/area.js';

import { identityEnv } from './env.js';
import { identityInputRules } from './input-rules.js';
import { identityMigrations } from './migrations/index.js';
import { identityErasure } from './msp/tenant-erasure.job.js';
import { identityPermissions } from './permissions.js';
import { identityRevocations } from './revocations.js';
import { identitySealedColumns } from './sealed-columns.js';
import { createIdentity, identityEntities } from './subgraph.js';

/** Tenants, users and who may act: see README.md. The one area that signs user tokens. */
export const identityArea = defineArea({
  name: 'identity',
  entities: identityEntities,
  migrations: identityMigrations,
  sealedColumns: identitySealedColumns,
  permissions: identityPermissions,
  inputRules: identityInputRules,
  forwardedPaths: ['/.well-known', '/setup', '/account', '/oauth', '/audit', '/msp', '/branding'],
  erasure: identityErasure,
  settings: identityEnv,
  revocations: identityRevocations,
  create: createIdentity,
});
