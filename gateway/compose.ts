import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { parse, printSchema } from 'graphql';

/** One subgraph's contribution to the supergraph. */
export interface SubgraphSdl {
  name: string;
  sdl: string;
}

/** The committed schema files: `supergraph.graphql`, and `api.graphql` as clients see it. */
export interface ComposedSchemas {
  supergraphSdl: string;
  apiSdl: string;
}

/** Composes the subgraphs. Throws one error that lists everything that does not fit together. */
export function composeSupergraph(subgraphs: readonly SubgraphSdl[]): ComposedSchemas {
  const services = subgraphs.map(({ name, sdl }) => ({
    name,
    typeDefs: parse(sdl),
    // Where a subgraph really is, is a matter of deployment: the gateway is told when it starts.
    url: `http://${name}.subgraph`,
  }));
  const { errors, supergraphSdl } = composeServices(services);
  if (errors) {
    const problems = errors.map(({ message, extensions }) => `  - ${String(extensions.code)}: ${message}`);
    throw new Error(`The subgraphs do not compose:\n${problems.join('\n')}`);
  }
  const apiSchema = Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema();
  return { supergraphSdl, apiSdl: `${printSchema(apiSchema)}\n` };
}
