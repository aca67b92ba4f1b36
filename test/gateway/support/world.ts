import { buildSubgraphSchema } from '@apollo/subgraph';
import DataLoader from 'dataloader';
import { parse } from 'graphql';
import pg from 'pg';

import { ApiError } from '#platform/errors.js';
import type { RequestContext } from '#platform/request-context.js';
import type { SourceEvent } from '#platform/subgraph/cursor.js';
import { mapEvents } from '#platform/subgraph/map-events.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';

import { EventSource } from './event-source.js';

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@shareable"])\n';

const fleetSdl = `${link}
type Query {
  instances: [Instance!]!
  alerts: [Alert!]!
  whoAmI: Caller!
  secret: String
  taken: String
  promised: Promised
}
type Mutation { renameInstance(id: ID!, name: String!): Instance! }
type Subscription {
  instanceChanged(id: ID): Instance!
  ticks(bytes: Int!): String!
  denied: String!
}
type Instance @key(fields: "id") { id: ID! name: String! }
type Alert @key(fields: "id") { id: ID! instance: Instance! }
type Promised { always: String! }
type Caller { authorization: String requestId: String! clientAddress: String! userAgent: String idempotencyKey: String }
`;

const governanceSdl = `${link}
type Query { policies: [Policy!]! }
type Policy @key(fields: "id") { id: ID! appliesTo: Instance }
type Instance @key(fields: "id") { id: ID! score: Int! risk: Int violations: [Violation!]! }
type Violation { rule: String! at: [Int!]! }
`;

interface Loaders {
  score: DataLoader<string, number | Error>;
}

/** As pg makes it of PostgreSQL's answer. */
function said(code: string): Error {
  return Object.assign(new pg.DatabaseError('said', 4, 'error'), { code });
}

/** Two small subgraphs, what they were asked, and the source of fleet's events. */
export class World {
  /** Names of subgraphs, once for each context made. */
  readonly contexts: string[] = [];
  readonly requests: RequestContext[] = [];
  /** Ids of the instances that governance was asked to resolve, as they came. */
  readonly references: string[] = [];
  /** Ids of instances in each batch that governance loaded. */
  readonly batches: (readonly string[])[] = [];
  readonly changes = new EventSource<SourceEvent>();
  readonly ticks = new EventSource<SourceEvent>();
  /** `after` of each subscription that was opened. */
  readonly resumedAfter: (string | undefined)[] = [];
  /** Subgraphs whose database is away. */
  readonly away = new Set<'fleet' | 'governance'>();
  /** Subgraphs whose database cancels the statement that reads this instance, for it takes too long. */
  readonly endless = new Map<'fleet' | 'governance', string>();
  /** Readings of an event's part of fleet, or of scores, each by the id of the request that it was for. */
  readonly readings: { of: 'fleet' | 'governance'; id: string; requestId: string }[] = [];
  /** The only token that has not ended, for governance; any is good without it. */
  token: string | undefined;
  scores: Record<string, number> = { i1: 90, i2: 70 };

  private readonly names: Record<string, string> = { i1: 'alpha', i2: 'beta' };

  readonly subgraphs: readonly Subgraph[] = [
    this.subgraph('fleet', fleetSdl, this.fleetResolvers(), (request) => request),
    this.subgraph('governance', governanceSdl, this.governanceResolvers(), (request) =>
      this.loaders(request),
    ),
  ];

  private instance(id: string) {
    return { __typename: 'Instance', id, name: this.names[id] };
  }

  private read(of: 'fleet' | 'governance', id: string, { requestId }: RequestContext): void {
    this.readings.push({ of, id, requestId });
    if (this.away.has(of)) throw said('57P03');
    if (this.endless.get(of) === id) throw said('57014');
  }

  private loaders(request: RequestContext): Loaders {
    return {
      score: new DataLoader(async (ids: readonly string[]) => {
        this.batches.push(ids);
        for (const id of ids) this.read('governance', id, request);
        if (this.token !== undefined && request.authorization !== this.token) {
          throw new ApiError('UNAUTHENTICATED', 'The token has expired', { reason: 'TOKEN_EXPIRED' });
        }
        return ids.map((id) => this.scores[id] ?? new ApiError('NOT_FOUND', `No score for ${id}`));
      }),
    };
  }

  private fleetResolvers() {
    return {
      Query: {
        instances: () => [this.instance('i1'), this.instance('i2')],
        alerts: () =>
          ['i1', 'i2', 'i1', 'i1', 'i2'].map((id, n) => ({ id: `a${n}`, instance: this.instance(id) })),
        whoAmI: (_: unknown, __: unknown, context: RequestContext) => context,
        secret: () => {
          throw new Error('password=hunter2');
        },
        taken: () => {
          throw new ApiError('CONFLICT', 'The name is taken', {
            reason: 'NAME_TAKEN',
            details: { name: 'beta' },
          });
        },
        promised: () => ({ always: null }),
      },
      Mutation: {
        renameInstance: (_: unknown, { id, name }: { id: string; name: string }) => {
          this.names[id] = name;
          return this.instance(id);
        },
      },
      Subscription: {
        instanceChanged: {
          subscribe: (_: unknown, __: unknown, context: RequestContext) => {
            this.resumedAfter.push(context.after);
            return mapEvents(this.changes.open(), async (event) => {
              // The end of the stream, as its source has it.
              if (event.payload instanceof ApiError) throw event.payload;
              return event;
            });
          },
          resolve: ({ payload }: SourceEvent<string>, _: unknown, context: RequestContext) => {
            this.read('fleet', payload, context);
            if (payload === 'broken') throw new Error('password=hunter2');
            return this.instance(payload);
          },
        },
        ticks: {
          subscribe: () => this.ticks.open(),
          resolve: (_: unknown, { bytes }: { bytes: number }) => 'x'.repeat(bytes),
        },
        denied: {
          subscribe: () => {
            throw new ApiError('FORBIDDEN', 'Not yours');
          },
        },
      },
      Instance: { __resolveReference: ({ id }: { id: string }) => this.instance(id) },
    };
  }

  private governanceResolvers() {
    return {
      Query: { policies: () => [{ id: 'p1', appliesTo: { id: 'i1' } }] },
      Instance: {
        __resolveReference: ({ id }: { id: string }) => {
          this.references.push(id);
          return { id };
        },
        score: ({ id }: { id: string }, _: unknown, { score }: Loaders) => score.load(id),
        risk: ({ id }: { id: string }, _: unknown, { score }: Loaders) => score.load(id),
        violations: ({ id }: { id: string }) => [{ rule: `rule of ${id}`, at: [1, 2] }],
      },
    };
  }

  private subgraph(
    name: string,
    sdl: string,
    resolvers: object,
    createContext: (request: RequestContext) => unknown,
  ): Subgraph {
    return {
      name,
      sdl,
      schema: buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: resolvers as never }]),
      createContext: (request) => {
        this.contexts.push(name);
        this.requests.push(request);
        return Promise.resolve(createContext(request));
      },
    };
  }
}
