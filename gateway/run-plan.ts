import { executeQueryPlan, type ServiceMap } from '@apollo/gateway';
import type { QueryPlan } from '@apollo/query-planner';
import { GraphQLError, type ExecutionResult } from 'graphql';

import { isErrorCode } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import type { PreparedOperation } from './documents.js';
import type { LoadedSupergraph } from './supergraph.js';

type ApolloRequestContext = Parameters<typeof executeQueryPlan>[2];
type ApolloResult = Awaited<ReturnType<typeof executeQueryPlan>>;

export interface PlanRun {
  operation: PreparedOperation;
  /** The operation's own plan, or for an event of a subscription the plan of that event. */
  plan: QueryPlan;
  services: ServiceMap;
  variables: Record<string, unknown>;
  context: RequestContext;
}

/** Runs query plans with Apollo's executor, and lets nothing out that is not fit to be shown. */
export class PlanRunner {
  constructor(
    private readonly graph: LoadedSupergraph,
    private readonly logger: Logger,
  ) {}

  async run({ operation, plan, services, variables, context }: PlanRun): Promise<ExecutionResult> {
    try {
      // The executor reads these members only; the rest of Apollo Server's context has no meaning here.
      const request = {
        request: { variables },
        context,
        metrics: {},
        logger: this.logger,
        document: operation.document,
        schema: this.graph.schema,
      } as unknown as ApolloRequestContext;
      const { supergraphSchema, apiSchema } = this.graph;
      const result = await executeQueryPlan(
        plan,
        services,
        request,
        operation.context,
        supergraphSchema,
        apiSchema,
      );
      return this.present(result, context);
    } catch (error) {
      return { data: null, errors: [this.reveal(error, context)] };
    }
  }

  private present({ data, errors, extensions }: ApolloResult, context: RequestContext): ExecutionResult {
    if (errors) return { errors: errors.map((error) => this.reveal(error, context)), data: data ?? null };
    // Apollo tells of nulls in non-nullable places in an extension; GraphQL demands an error. Its words name
    // schema coordinates only.
    const incomplete: readonly GraphQLError[] | undefined = extensions?.valueCompletion;
    if (!incomplete) return { data: data ?? null };
    this.logger.error(
      { requestId: context.requestId, err: incomplete[0] },
      'A subgraph answered against the schema',
    );
    return {
      errors: incomplete.map(
        ({ message, path }) => new GraphQLError(message, { path, extensions: { code: 'INTERNAL' } }),
      ),
      data: data ?? null,
    };
  }

  /** Errors of subgraphs that carry a code of the closed list pass, without the name of the subgraph. */
  private reveal(error: unknown, { requestId }: RequestContext): GraphQLError {
    if (error instanceof GraphQLError && isErrorCode(error.extensions.code)) {
      const { serviceName: _, ...extensions } = error.extensions;
      return new GraphQLError(error.message, { path: error.path, extensions });
    }
    this.logger.error({ err: error, requestId }, 'A query plan failed unexpectedly');
    const path = error instanceof GraphQLError ? error.path : undefined;
    return new GraphQLError('Internal error', { path, extensions: { code: 'INTERNAL' } });
  }
}
