import type { EntityClass } from '#platform/database/database.js';
import type { AreaMigration } from '#platform/database/migrate.js';
import { platformMigrations } from '#platform/migrations.js';
import type { SealedColumn } from '#platform/secrets/sealed-column.js';
import { fleetMigrations } from '#subgraphs/fleet/migrations/index.js';
import { fleetSealedColumns } from '#subgraphs/fleet/sealed-columns.js';
import { fleetEntities } from '#subgraphs/fleet/subgraph.js';
import { identityMigrations } from '#subgraphs/identity/migrations/index.js';
import { identitySealedColumns } from '#subgraphs/identity/sealed-columns.js';
import { identityEntities } from '#subgraphs/identity/subgraph.js';

/** One subgraph's part of the database. */
export interface Area {
  name: string;
  entities: readonly EntityClass[];
  migrations: readonly AreaMigration[];
  /** What a rotation of SECRETS_KEY has to seal anew. */
  sealedColumns?: readonly SealedColumn[];
}

const subgraphAreas: readonly Area[] = [
  {
    name: 'identity',
    entities: identityEntities,
    migrations: identityMigrations,
    sealedColumns: identitySealedColumns,
  },
  {
    name: 'fleet',
    entities: fleetEntities,
    migrations: fleetMigrations,
    sealedColumns: fleetSealedColumns,
  },
];

/** All of them, and the platform's own schema first. */
export const areas: readonly Area[] = [
  { name: 'platform', entities: [], migrations: platformMigrations },
  ...subgraphAreas,
];

export const areaNames: readonly string[] = areas.map(({ name }) => name);
