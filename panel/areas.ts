import type { EntityClass } from '#platform/database/database.js';
import type { AreaMigration } from '#platform/database/migrate.js';
import { fleetMigrations } from '#subgraphs/fleet/migrations/index.js';
import { fleetEntities } from '#subgraphs/fleet/subgraph.js';
import { identityMigrations } from '#subgraphs/identity/migrations/index.js';
import { identityEntities } from '#subgraphs/identity/subgraph.js';

/** Each subgraph's part of the database. */
export interface Area {
  name: string;
  entities: readonly EntityClass[];
  migrations: readonly AreaMigration[];
}

export const areas: readonly Area[] = [
  { name: 'identity', entities: identityEntities, migrations: identityMigrations },
  { name: 'fleet', entities: fleetEntities, migrations: fleetMigrations },
];

export const areaNames: readonly string[] = areas.map(({ name }) => name);
