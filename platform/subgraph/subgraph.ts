import type { GraphQLSchema } from 'graphql';

import type { RequestContext } from '../request-context.js';

/** What a subgraph hands to whoever runs it: in this process or behind an HTTP server of its own. */
export interface Subgraph {
  readonly name: string;
  /** Executable federation schema, `_service` and `_entities` included. */
  readonly schema: GraphQLSchema;
  /** The SDL that is composed and committed. */
  readonly sdl: string;
  /** The context for one operation. Runners call it once per RequestContext and share the answer. */
  createContext(request: RequestContext): unknown;
}
