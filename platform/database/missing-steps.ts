import pg from 'pg';

import { migration, type AreaMigration } from './migrate.js';
import { areaRoles } from './roles.js';

/** Lets a process that may not migrate see which steps an area has had; none of one that is not there. */
export const appliedStepsMigration: AreaMigration = migration(
  '007_applied_steps',
  `create function platform.applied_steps(area text) returns setof text
      language plpgsql stable security definer set search_path = pg_catalog as $$
      begin
        if to_regclass(format('%I.migration', area)) is null then return; end if;
        return query execute format('select name::text from %I.migration', area);
      end $$`,
  `revoke execute on function platform.applied_steps(text) from public`,
  `grant execute on function platform.applied_steps(text) to platform_app`,
);

/** Steps of one area that a database has yet to have. */
export interface MissingSteps {
  area: string;
  steps: readonly string[];
}

interface KnownArea {
  name: string;
  migrations: readonly AreaMigration[];
}

/**
 * What the database lacks of what this version relies on, by area, as the application's login sees it. Contracts are not
 * among it: nothing relies on them, and they wait for older processes to be gone. Of a database that is from before it
 * could be asked only the step is named that lets it be.
 */
export async function missingSteps(app: pg.Client, areas: readonly KnownArea[]): Promise<MissingSteps[]> {
  const applied = await appliedSteps(
    app,
    areas.map(({ name }) => name),
  );
  if (!applied) return [{ area: 'platform', steps: [appliedStepsMigration.name] }];
  const missing = areas.map(({ name, migrations }) => ({
    area: name,
    steps: migrations
      .filter((step) => step.needs === undefined && !applied.has(`${name} ${step.name}`))
      .map((step) => step.name),
  }));
  return missing.filter(({ steps }) => steps.length > 0);
}

const undefinedFunction = '42883';
const undefinedTable = '42P01';
const invalidSchema = '3F000';
const invalidRole = '22023';
const undefinedObject = '42704';
const insufficientPrivilege = '42501';
/** Of a database that was never migrated the role, the schema or the right to it is missing. */
const isTooOld = (error: unknown): boolean =>
  error instanceof pg.DatabaseError &&
  [
    undefinedFunction,
    undefinedTable,
    invalidSchema,
    invalidRole,
    undefinedObject,
    insufficientPrivilege,
  ].includes(error.code ?? '');

/** As `area step`; undefined where it can not be asked. */
async function appliedSteps(
  app: pg.Client,
  areas: readonly string[],
): Promise<ReadonlySet<string> | undefined> {
  const rows = await askAs<{ step: string }>(
    app,
    areaRoles('platform').app,
    `select area || ' ' || step as step from unnest($1::text[]) area, platform.applied_steps(area) step`,
    [areas],
  );
  return rows && new Set(rows.map(({ step }) => step));
}

/** What a role is answered; undefined where what it asks for, or its right to it, is not there yet. */
export async function askAs<Row extends pg.QueryResultRow>(
  app: pg.Client,
  role: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[] | undefined> {
  await app.query('begin read only');
  try {
    await app.query(`set local role ${pg.escapeIdentifier(role)}`);
    return (await app.query<Row>(sql, values)).rows;
  } catch (error) {
    if (!isTooOld(error)) throw error;
    return undefined;
  } finally {
    // A connection that was lost has nothing to go back from, and what it was lost by is the error to tell.
    await app.query('rollback').catch(() => undefined);
  }
}
