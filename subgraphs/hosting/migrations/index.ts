import { areaTablesSql } from '#platform/area.sql.js';
import { migration, type AreaMigration } from '#platform/database/migrate.js';

import { serversMigration } from './002-servers.js';
import { admissionMigration } from './003-admission.js';
import { kubernetesMigration } from './020-kubernetes.js';
import { seenMeanwhileMigration } from './021-seen-meanwhile.js';
import { placementsMigration } from './022-placements.js';
import { claimsMigration } from './030-claims.js';
import { leftBehindMigration } from './031-left-behind.js';
import { callsMigration } from './032-calls.js';
import { takenMigration } from './033-taken.js';
import { haMigration } from './040-ha.js';
import { tracesMigration } from './050-traces.js';
import { haHistoryMigration } from './051-ha-history.js';
import { contractsMigration } from './052-contracts.js';
import { serverStepsMigration } from './053-server-steps.js';
import { haDatabaseMigration } from './054-ha-database.js';
import { copiesMigration } from './055-copies.js';
import { listeningMigration } from './056-listening.js';
import { grantsMigration } from './057-grants.js';
import { givenMigration } from './058-given.js';
import { leftoversMigration } from './059-leftovers.js';
import { revisionsMigration } from './060-revisions.js';

/** hosting's schema, step by step. Applied steps are never edited. */
export const hostingMigrations: readonly AreaMigration[] = [
  migration('001_outbox', areaTablesSql('hosting')),
  serversMigration,
  admissionMigration,
  kubernetesMigration,
  seenMeanwhileMigration,
  placementsMigration,
  claimsMigration,
  leftBehindMigration,
  callsMigration,
  takenMigration,
  haMigration,
  tracesMigration,
  haHistoryMigration,
  contractsMigration,
  serverStepsMigration,
  haDatabaseMigration,
  copiesMigration,
  listeningMigration,
  grantsMigration,
  givenMigration,
  leftoversMigration,
  revisionsMigration,
];
