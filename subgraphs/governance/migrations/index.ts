import { areaTablesSql } from '#platform/area.sql.js';
import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { entitlementReadOnlySql, entitlementTableSql } from '#platform/entitlement/entitlement.sql.js';

import { policiesMigration } from './002-policies.js';
import { canariesMigration } from './003-canaries.js';
import { remediationMigration } from './004-remediation.js';
import { gitOpsMigration } from './010-gitops.js';
import { groupsAndMetricsMigration } from './011-groups-and-metrics.js';
import { clustersMigration } from './020-clusters.js';
import { gitOpsCanariesMigration } from './021-gitops-canaries.js';
import { tracesMigration } from './030-traces.js';
import { silentHostsMigration } from './031-silent-hosts.js';
import { knownStatusMigration } from './032-known-status.js';
import { inOrderMigration } from './033-in-order.js';
import { resultsOfRemovedMigration } from './034-results-of-removed.js';
import { previousScoreMigration } from './035-previous-score.js';
import { countsMigration } from './036-counts.js';
import { overallScoresMigration } from './037-overall-scores.js';
import { grantsMigration } from './038-grants.js';
import { copiesMigration } from './039-copies.js';
import { listeningMigration } from './040-listening.js';
import { canaryRequestsMigration } from './041-canary-requests.js';
import { remediationNamesMigration } from './042-remediation-names.js';
import { haltedCanariesMigration } from './043-halted-canaries.js';

/** governance's schema, step by step. Applied steps are never edited. */
export const governanceMigrations: readonly AreaMigration[] = [
  migration(
    '001_outbox',
    areaTablesSql('governance'),
    entitlementTableSql('governance'),
    entitlementReadOnlySql('governance'),
  ),
  policiesMigration,
  canariesMigration,
  remediationMigration,
  gitOpsMigration,
  groupsAndMetricsMigration,
  clustersMigration,
  gitOpsCanariesMigration,
  tracesMigration,
  silentHostsMigration,
  knownStatusMigration,
  inOrderMigration,
  resultsOfRemovedMigration,
  previousScoreMigration,
  countsMigration,
  overallScoresMigration,
  grantsMigration,
  copiesMigration,
  listeningMigration,
  canaryRequestsMigration,
  remediationNamesMigration,
  haltedCanariesMigration,
];
