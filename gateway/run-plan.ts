import { executeQueryPlan, type GraphQLDataSource, type ServiceMap } from '@apollo/gateway';
import type { FetchNode, QueryPlan } from '@apollo/query-planner';
import { GraphQLError, type ExecutionResult } from 'graphql';

import { isErrorCode } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import { compileCompletion, unfit, type Complete } from './completion.js';
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

/** Compiled once for an operation, whichever gateway runs it. */
const completions = new WeakMap<PreparedOperation, Complete | 'none'>();

/**
 * Runs query plans and lets nothing out that is not fit to be shown. A plan of one fetch, which most are, has its answer
 * completed by code compiled for the operation; whatever is out of the ordinary goes through Apollo's executor.
 */
export class PlanRunner {
  constructor(
    private readonly graph: LoadedSupergraph,
    private readonly logger: Logger,
  ) {}

  async run(run: PlanRun): Promise<ExecutionResult> {
    try {
      const fetch = onlyFetch(run.plan);
      const complete = fetch && this.completionOf(run.operation);
      return fetch && complete ? await this.fetchOnce(run, fetch, complete) : await this.execute(run);
    } catch (error) {
      return { data: null, errors: [this.reveal(error, run.context)] };
    }
  }

  private async fetchOnce(run: PlanRun, fetch: FetchNode, complete: Complete): Promise<ExecutionResult> {
    const answer = ask(fetch, run);
    const { data, errors } = await answer.catch((error: unknown) => ({ data: null, errors: [error] }));
    const completed = errors ? unfit : complete(data);
    if (completed !== unfit) return { data: completed as Record<string, unknown> };
    // Apollo's executor finds the words for what is wrong, without asking a second time.
    const answered = { process: () => answer };
    return this.execute({ ...run, services: { ...run.services, [fetch.serviceName]: answered } });
  }

  private completionOf(operation: PreparedOperation): Complete | undefined {
    let known = completions.get(operation);
    if (!known) {
      const { context } = operation;
      known = compileCompletion(context.schema, context.operation, context.fragments) ?? 'none';
      completions.set(operation, known);
    }
    return known === 'none' ? undefined : known;
  }

  private async execute({
    operation,
    plan,
    services,
    variables,
    context,
  }: PlanRun): Promise<ExecutionResult> {
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

type FetchAnswer = Awaited<ReturnType<GraphQLDataSource['process']>>;

/** The plan's fetch when there is no other, and its answer needs no rewriting. */
function onlyFetch({ node }: QueryPlan): FetchNode | undefined {
  return node?.kind === 'Fetch' && !node.requires && !node.outputRewrites?.length ? node : undefined;
}

/** Asks as Apollo's executor does. */
async function ask(fetch: FetchNode, { services, variables, context }: PlanRun): Promise<FetchAnswer> {
  const service = services[fetch.serviceName];
  if (!service) throw new Error(`there is no service ${fetch.serviceName}`);
  const names = fetch.variableUsages ?? [];
  const used = names.filter((name) => Object.hasOwn(variables, name) && variables[name] !== undefined);
  const request = {
    query: fetch.operation,
    operationName: fetch.operationName,
    variables: Object.fromEntries(used.map((name) => [name, variables[name]])),
  };
  return service.process({ request, context } as unknown as Parameters<GraphQLDataSource['process']>[0]);
}
