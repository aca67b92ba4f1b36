import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import type { FormattedExecutionResult } from 'graphql';

import type { RequestContext } from '#platform/request-context.js';
import type { EventStream } from '#platform/subgraph/map-events.js';
import type { SubgraphEvent, SubgraphRequest, SubgraphRunner } from '#platform/subgraph/subgraph-runner.js';

import { uniqueRepresentations } from './representations.js';

type Response = Awaited<ReturnType<GraphQLDataSource['process']>>;

/** A subgraph as the gateway sees it, in this process or at another address. */
export interface SubgraphClient {
  execute(request: SubgraphRequest, context: RequestContext): Promise<FormattedExecutionResult>;
  /** Opens a subscription; errors found before the first event come as a plain result. */
  subscribe(
    request: SubgraphRequest,
    context: RequestContext,
  ): Promise<EventStream<SubgraphEvent> | FormattedExecutionResult>;
  /** What keeps the subgraph from answering; `undefined` when it can. */
  problem(): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Lets the plan's executor fetch from a subgraph. Equal entity representations are sent once. */
export class SubgraphDataSource implements GraphQLDataSource {
  constructor(private readonly client: SubgraphClient) {}

  async process({ request, context }: GraphQLDataSourceProcessOptions): Promise<Response> {
    const { query = '', operationName, variables } = request;
    const unique = uniqueRepresentations(variables);
    const result = await this.client.execute(
      { query, operationName, variables: unique?.variables ?? variables },
      context as RequestContext,
    );
    const { data, errors } = unique ? unique.spread(result) : result;
    return { data: data ?? null, ...(errors ? { errors } : {}) };
  }
}

/** A subgraph that runs in this process: no hop, no second parse, no text in between. */
export function inProcessClient(runner: SubgraphRunner): SubgraphClient {
  return {
    execute: (request, context) => runner.execute(request, context),
    subscribe: (request, context) => runner.subscribe(request, context),
    problem: () => Promise.resolve(undefined),
    stop: () => Promise.resolve(),
  };
}
