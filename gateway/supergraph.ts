import { Supergraph, type Schema } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import type { GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';

/** The composed graph in the forms that planning, execution and validation each need. One planner serves them all. */
export interface LoadedSupergraph {
  subgraphNames: readonly string[];
  planner: QueryPlanner;
  /** What clients see, as the planner knows it. */
  apiSchema: Schema;
  /** What clients see, for validation and introspection. */
  schema: GraphQLSchema;
  supergraphSchema: GraphQLSchema;
}

/** By their texts: a process has one supergraph, however many gateways it has one after the other. */
const loaded = new LRUCache<string, LoadedSupergraph>({ max: 2 });

/** Builds the planner. It takes a while, and is done once per process: the supergraph never changes under it. */
export function loadSupergraph(supergraphSdl: string): LoadedSupergraph {
  const known = loaded.get(supergraphSdl) ?? build(supergraphSdl);
  loaded.set(supergraphSdl, known);
  return known;
}

function build(supergraphSdl: string): LoadedSupergraph {
  // Composition has validated it; doing so again would only slow the start.
  const supergraph = Supergraph.build(supergraphSdl, { validateSupergraph: false });
  const apiSchema = supergraph.apiSchema();
  return {
    subgraphNames: supergraph.subgraphsMetadata().map(({ name }) => name),
    planner: new QueryPlanner(supergraph),
    apiSchema,
    schema: apiSchema.toGraphQLJSSchema(),
    supergraphSchema: supergraph.schema.toGraphQLJSSchema(),
  };
}
