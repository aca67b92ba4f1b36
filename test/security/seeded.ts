import {
  Arg,
  Authorized,
  Ctx,
  Directive,
  Field,
  ID,
  Mutation,
  ObjectType,
  Query,
  Resolver,
} from 'type-graphql';

import type { PermissionTable } from '#platform/auth/permissions.js';
import type { TokenVerifier } from '#platform/auth/tokens.js';
import type { Clock } from '#platform/clock.js';
import type { Database, SqlEntityManager } from '#platform/database/database.js';
import { buildSubgraph, type SubgraphContext } from '#platform/subgraph/build.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';

import type { Matrix } from './matrix.js';

/*
 * A subgraph as it must not be: each resolver makes one mistake, on fleet's own tables. The suites have to find them
 * all, and nothing else.
 */

@ObjectType()
@Directive('@key(fields: "id")')
class Command {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { nullable: true })
  kind!: string | null;

  @Field(() => String, { nullable: true })
  params!: string | null;
}

const namesSql = 'select name from fleet.instance where id = ?';

async function nameOf(em: SqlEntityManager, id: string): Promise<string | null> {
  const [row] = await em.execute<{ name: string }[]>(namesSql, [id]);
  return row?.name ?? null;
}

@Resolver()
class CarelessResolver {
  /** Nobody is asked who they are. */
  @Query(() => String)
  openToAll(): string {
    return 'anything';
  }

  /** The right person, and then a look past row-level security. */
  @Authorized('seeded.thing.read')
  @Query(() => String, { nullable: true })
  nameAsJob(
    @Arg('instanceId', () => ID) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    return nameOf(operation.database.forJobs(), id);
  }

  /** Takes on whatever tenant the id belongs to. */
  @Authorized('seeded.thing.read')
  @Query(() => String, { nullable: true })
  async nameAsOwner(
    @Arg('instanceId', () => ID) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    const [row] = await operation.database
      .forJobs()
      .execute<{ tenant_id: string }[]>('select tenant_id from fleet.instance where id = ?', [id]);
    return row ? nameOf(operation.database.forTenant(row.tenant_id), id) : null;
  }

  /** Forgets to ask for the tenant, and is saved by row-level security. */
  @Authorized('seeded.thing.read')
  @Query(() => String, { nullable: true })
  nameForgetful(
    @Arg('instanceId', () => ID) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<string | null> {
    return nameOf(operation.em, id);
  }

  /** Shows nothing, and changes what is not its own. */
  @Authorized('seeded.thing.change')
  @Mutation(() => Boolean, { nullable: true })
  async retag(
    @Arg('instanceId', () => ID) id: string,
    @Ctx() { operation }: SubgraphContext,
  ): Promise<boolean | null> {
    const sql = `update fleet.instance set tags = array_append(tags, 'taken') where id = ?`;
    await operation.database.forJobs().execute(sql, [id]);
    return null;
  }
}

/** The careless subgraph, on fleet's part of the database. */
export async function carelessSubgraph(
  database: Database,
  clock: Clock,
  verifier: TokenVerifier,
): Promise<Subgraph> {
  const permissions: PermissionTable = { 'seeded.thing.read': ['owner'], 'seeded.thing.change': ['owner'] };
  return buildSubgraph({
    name: 'fleet',
    database,
    clock,
    verifier,
    permissions,
    resolvers: [new CarelessResolver()],
    orphanedTypes: [Command],
    references: {
      // Whose command it is, nobody asks.
      Command: {
        permission: null,
        resolve: async ({ id }: { id: string }, { operation }) => {
          const sql = 'select id, kind, params::text as params from fleet.command where id = ?';
          const [row] = await operation.database.forJobs().execute<Command[]>(sql, [id]);
          return row ?? null;
        },
      },
    },
  });
}

const read = { permission: 'seeded.thing.read', callers: ['owner', 'service'] } as const;

/** Who may call it, as it was meant to be. */
export const carelessMatrix: Matrix = {
  'Query.openToAll': read,
  'Query.nameAsJob': read,
  'Query.nameAsOwner': read,
  'Query.nameForgetful': read,
  'Mutation.retag': { permission: 'seeded.thing.change', callers: ['owner', 'service'] },
};
