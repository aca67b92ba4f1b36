import { areaTablesSql } from '#platform/area.sql.js';
import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { subscriptionsMigration } from './002-subscriptions.js';
import { licencesMigration } from './003-licences.js';
import { partnersMigration } from './004-partners.js';
import { testClocksMigration } from './010-test-clocks.js';
import { partnerPeriodsMigration } from './011-partner-periods.js';
import { returnedMoneyMigration } from './012-returned-money.js';
import { looksMigration } from './013-looks.js';
import { admissionMigration } from './014-admission.js';
import { tracesMigration } from './020-traces.js';
import { freedLicencesMigration } from './021-freed-licences.js';
import { partnerListsMigration } from './022-partner-lists.js';
import { closedTenantsMigration } from './023-closed-tenants.js';
import { copiesMigration } from './024-copies.js';
import { listeningMigration } from './025-listening.js';
import { netCommissionsMigration } from './026-net-commissions.js';
import { providerPeriodsMigration } from './027-provider-periods.js';
import { suspendedTenantsMigration } from './028-suspended-tenants.js';
import { stripeAccountMigration } from './029-stripe-account.js';

/** billing's schema, step by step. Applied steps are never edited. */
export const billingMigrations: readonly AreaMigration[] = [
  migration('001_outbox', areaTablesSql('billing')),
  subscriptionsMigration,
  licencesMigration,
  partnersMigration,
  testClocksMigration,
  partnerPeriodsMigration,
  returnedMoneyMigration,
  looksMigration,
  admissionMigration,
  tracesMigration,
  freedLicencesMigration,
  partnerListsMigration,
  closedTenantsMigration,
  copiesMigration,
  listeningMigration,
  netCommissionsMigration,
  providerPeriodsMigration,
  suspendedTenantsMigration,
  stripeAccountMigration,
];
