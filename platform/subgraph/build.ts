import 'reflect-metadata';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { parse, type GraphQLSchema } from 'graphql';
import { buildSchema, createResolversMap, type BuildSchemaOptions, type NonEmptyArray } from 'type-graphql';

import { requireListed, type PermissionTable } from '../auth/permissions.js';
import type { TokenVerifier } from '../auth/tokens.js';
import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import { ApiError } from '../errors.js';
import type { EventStreams } from '../outbox/event-stream.js';
import type { RequestContext } from '../request-context.js';
import { authChecker } from './auth-checker.js';
import { Operation } from './operation.js';
import { addRenamedProperties, leaveOutPlainResolvers, takeWhatIsAtHand } from './plain-fields.js';
import { rootResolvers } from './root-fields.js';
import { DateTime, dateTimeScalar } from './scalars.js';
import { refuseUnstorable } from './storable.middleware.js';
import type { Subgraph } from './subgraph.js';
import { leaveOutUnknown } from './unknown-words.js';

/** What every resolver gets as its context. */
export interface SubgraphContext {
  operation: Operation;
  /** Where subscriptions come from; absent in a process that serves none. */
  streams: EventStreams | undefined;
  /** For the schema alone, which all subgraphs of the same classes share. */
  wiring: Wiring;
}

/** What stands behind a schema in one subgraph. */
interface Wiring {
  name: string;
  database: Database;
  /** By their classes. */
  resolvers: ReadonlyMap<unknown, object>;
  references: References;
}

/** How a key that another subgraph refers to is answered. */
export interface Reference<Key = { id: string }> {
  /**
   * What a token with a list of its own has to list for this, as it has for the query that reads the same: null where each
   * field that this subgraph has there says so itself. Roles may follow any reference, and nodes those that they are given.
   */
  permission: string | null;
  /** Null when the key is none of the viewer's tenant. */
  resolve: (key: Key, context: SubgraphContext) => unknown;
}

type References = Readonly<Record<string, Reference<never>>>;

export interface SubgraphDefinition {
  name: string;
  database: Database;
  clock: Clock;
  verifier: TokenVerifier;
  permissions: PermissionTable;
  streams?: EventStreams | undefined;
  /** Resolver instances, wired by hand. */
  resolvers: NonEmptyArray<object>;
  /** Entity types that no field of this subgraph returns. */
  orphanedTypes?: BuildSchemaOptions['orphanedTypes'];
  references?: References;
}

const federationLink = `extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9"
  import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@inaccessible", "@tag"]
)
`;

// type-graphql demands a pubSub as soon as a @Subscription exists, even when every one names its own source.
const noTopics: NonNullable<BuildSchemaOptions['pubSub']> = {
  publish() {
    throw new Error('subscriptions name their own source');
  },
  subscribe() {
    throw new Error('subscriptions name their own source');
  },
};

/** The executable federation schema and the SDL of one subgraph from its resolvers. */
export async function buildSubgraph(definition: SubgraphDefinition): Promise<Subgraph> {
  const { name, resolvers, orphanedTypes, references = {} } = definition;
  const wiring: Wiring = {
    name,
    database: definition.database,
    resolvers: new Map(resolvers.map((resolver) => [resolver.constructor, resolver])),
    references,
  };
  const built = schemaOf([...wiring.resolvers.keys()], orphanedTypes ?? [], Object.keys(references));
  return { name, ...(await built), createContext: (request) => createContext(definition, wiring, request) };
}

interface Built {
  sdl: string;
  schema: GraphQLSchema;
}

/** What was built in this process, by the classes that it was built from: they say all there is to it. */
const built: { from: readonly unknown[]; schema: Promise<Built> }[] = [];

async function schemaOf(
  classes: readonly unknown[],
  orphanedTypes: readonly unknown[],
  references: readonly string[],
): Promise<Built> {
  const from = [classes.length, ...classes, ...orphanedTypes, ...references];
  const isSame = (other: readonly unknown[]) =>
    other.length === from.length && other.every((part, at) => part === from[at]);
  let known = built.find((each) => isSame(each.from));
  if (!known) {
    known = { from, schema: buildFrom(classes, orphanedTypes, references) };
    built.push(known);
  }
  return known.schema;
}

async function buildFrom(
  classes: readonly unknown[],
  orphanedTypes: readonly unknown[],
  references: readonly string[],
): Promise<Built> {
  const options: BuildSchemaOptions = {
    resolvers: classes as unknown as NonEmptyArray<new (...args: never[]) => object>,
    container: {
      get(resolver: unknown, { context }: { context: SubgraphContext }) {
        const instance = context.wiring.resolvers.get(resolver);
        if (!instance)
          throw new Error(`${String(resolver)} is not wired in the ${context.wiring.name} subgraph`);
        return instance;
      },
    },
    ...(orphanedTypes.length > 0
      ? { orphanedTypes: orphanedTypes as NonNullable<BuildSchemaOptions['orphanedTypes']> }
      : {}),
    authChecker,
    scalarsMap: [{ type: Date, scalar: DateTime }],
    pubSub: noTopics,
    validate: false,
    // buildSubgraphSchema checks what is made of it.
    skipCheck: true,
  };
  const annotated = await buildSchema({ ...options, globalMiddlewares: [refuseUnstorable] });
  const sdl = federationLink + printSchemaWithDirectives(annotated);
  const resolvers = await resolversOf(annotated, options, classes);
  for (const type of references) {
    const resolve = (key: never, context: SubgraphContext) => {
      const reference = context.wiring.references[type]!;
      if (reference.permission !== null)
        requireListed(context.operation.requireViewer(), reference.permission);
      return reference.resolve(key, context);
    };
    resolvers[type] = { ...resolvers[type], __resolveReference: resolve };
  }
  const schema = buildSubgraphSchema([
    { typeDefs: parse(sdl), resolvers: { ...resolvers, DateTime: dateTimeScalar } as never },
  ]);
  const kept = leaveOutUnknown(schema, (leftOut, { wiring }: SubgraphContext) =>
    wiring.database.logger.warn(leftOut, 'what a later version has written is left out of lists'),
  );
  return { sdl, schema: keepExtensions(annotated, kept) };
}

type Resolvers = Record<string, Record<string, unknown>>;

/**
 * The global middleware has a say in subscriptions only, but type-graphql would run every field of every row through it,
 * in promises of its own. So all other types' resolvers are those of a build without.
 */
async function resolversOf(
  annotated: GraphQLSchema,
  options: BuildSchemaOptions,
  classes: readonly unknown[],
): Promise<Resolvers> {
  leaveOutPlainResolvers();
  const inner = createResolversMap(await buildSchema(options)) as Resolvers;
  addRenamedProperties(inner);
  takeWhatIsAtHand(annotated, inner);
  const { Subscription } = createResolversMap(annotated) as Resolvers;
  return {
    ...inner,
    ...(Subscription ? { Subscription } : {}),
    Query: rootResolvers(annotated.getQueryType(), 'queries', classes),
    ...(inner['Mutation']
      ? { Mutation: rootResolvers(annotated.getMutationType(), 'mutations', classes) }
      : {}),
  };
}

function createContext(
  definition: SubgraphDefinition,
  wiring: Wiring,
  request: RequestContext,
): SubgraphContext | Promise<SubgraphContext> {
  const made = (identity: Identity) => contextOf(definition, wiring, request, identity);
  const identity = identify(definition.verifier, request);
  return identity instanceof Promise ? identity.then(made) : made(identity);
}

type Identity = Pick<ConstructorParameters<typeof Operation>[0], 'viewer' | 'denial'>;

function contextOf(
  { database, clock, verifier, permissions, streams }: SubgraphDefinition,
  wiring: Wiring,
  request: RequestContext,
  identity: Identity,
): SubgraphContext {
  const isSuspended = (tenantId: string) => verifier.isSuspended(tenantId);
  const options = { request, database, clock, permissions, isSuspended, ...identity };
  return { operation: new Operation(options), streams, wiring };
}

/** Who asks. A refused token is not an error yet: public fields ignore it, and the others say why it was refused. */
export function identify(
  verifier: TokenVerifier,
  { authorization, isStanding = false }: Pick<RequestContext, 'authorization' | 'isStanding'>,
): Identity | Promise<Identity> {
  if (!authorization) return { viewer: undefined, denial: undefined };
  const viewer = isStanding
    ? verifier.verify(authorization, { isStanding })
    : verifier.viewerOf(authorization);
  if (!(viewer instanceof Promise)) return { viewer, denial: undefined };
  return viewer.then(
    (found) => ({ viewer: found, denial: undefined }),
    (error: unknown) => {
      if (error instanceof ApiError) return { viewer: undefined, denial: error };
      throw error;
    },
  );
}

/** buildSubgraphSchema makes new types from SDL text; the `extensions` set by decorators are carried over by name. */
function keepExtensions(from: GraphQLSchema, to: GraphQLSchema): GraphQLSchema {
  for (const [name, type] of Object.entries(from.getTypeMap())) {
    const target = to.getType(name);
    if (!('getFields' in type) || !target || !('getFields' in target)) continue;
    const fields = target.getFields();
    for (const field of Object.values(type.getFields())) {
      const copy = fields[field.name];
      if (copy) copy.extensions = { ...copy.extensions, ...field.extensions };
    }
  }
  return to;
}
