import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import type { FormattedExecutionResult } from 'graphql';

import type { RequestContext } from '#platform/request-context.js';
import type { EventStream } from '#platform/subgraph/map-events.js';
import type { SubgraphEvent, SubgraphRequest, SubgraphRunner } from '#platform/subgraph/subgraph-runner.js';
import { traced } from '#platform/telemetry/tracing.js';

import { uniqueRepresentations } from './representations.js';

/** Called when a fetch begins; what it answers, with the result. */
export type Timed = (subgraph: string) => (result: FormattedExecutionResult) => void;
const untimed: Timed = () => () => undefined;

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
  constructor(
    private readonly name: string,
    private readonly client: SubgraphClient,
    private readonly timed: Timed = untimed,
  ) {}

  async process({ request, context }: GraphQLDataSourceProcessOptions): Promise<Response> {
    const { query = '', operationName, variables } = request;
    const unique = uniqueRepresentations(variables);
    const end = this.timed(this.name);
    const result = await traced(
      `subgraph ${this.name}`,
      { kind: 'client', attributes: { 'graphql.subgraph': this.name } },
      () =>
        this.client.execute(
          { query, operationName, variables: unique?.variables ?? variables },
          context as RequestContext,
        ),
    );
    end(result);
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
