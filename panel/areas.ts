import type { Area } from '#platform/area.js';
import type { PermissionTable } from '#platform/auth/permissions.js';
import { readAll, type EnvSource } from '#platform/env.js';
import type { InputRules } from '#platform/input-rules.js';
import { platformMigrations } from '#platform/migrations.js';
import { billingArea } from '#subgraphs/billing/area.js';
import { fleetArea } from '#subgraphs/fleet/area.js';
import { governanceArea } from '#subgraphs/governance/area.js';
import { hostingArea } from '#subgraphs/hosting/area.js';
import { identityArea } from '#subgraphs/identity/area.js';

/** Every area of the panel, a line each; all else in panel/ goes over them. */
const list = [identityArea, fleetArea, billingArea, governanceArea, hostingArea] as const;

type Listed = (typeof list)[number];

export type AreaName = Listed['name'];

/** What each area reads of the environment, by the areas' names. */
export type AreaSettings = { readonly [Each in Listed as Each['name']]: ReturnType<Each['settings']> };

export const areas: readonly Area<AreaName>[] = list;
export const areaNames: readonly AreaName[] = areas.map(({ name }) => name);

/** Everything that anyone may be allowed anywhere in the panel. */
export const allPermissions: PermissionTable = Object.assign(
  {},
  ...areas.map(({ permissions }) => permissions),
) as PermissionTable;

/** All areas' rules: a gateway of its own knows them too, as it is of the same version. */
export const allInputRules: InputRules = Object.assign(
  {},
  ...areas.map(({ inputRules }) => inputRules),
) as InputRules;

/** The settings of all areas; throws one EnvError for all that is wrong. */
export function areaSettings(source: EnvSource): AreaSettings {
  const readers = Object.fromEntries(
    areas.map((area) => [area.name, (from: EnvSource) => area.settings(from)]),
  );
  return readAll(readers, source) as AreaSettings;
}

/** The parts of the database: the platform's own, which the others need, and one for each area. */
export const schemas: readonly Pick<Area, 'name' | 'entities' | 'migrations' | 'sealedColumns'>[] = [
  { name: 'platform', entities: [], migrations: platformMigrations },
  ...areas,
];
export const schemaNames: readonly string[] = schemas.map(({ name }) => name);
