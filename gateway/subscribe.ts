import type { GraphQLDataSource, ServiceMap } from '@apollo/gateway';
import type { FetchNode, QueryPlan, SubscriptionNode } from '@apollo/query-planner';
import { GraphQLError, type ExecutionResult, type FormattedExecutionResult } from 'graphql';

import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { ExchangeContext, RequestContext } from '#platform/request-context.js';
import { cursorOf } from '#platform/subgraph/cursor.js';
import { mapEvents, type EventStream } from '#platform/subgraph/map-events.js';
import type { SubgraphEvent } from '#platform/subgraph/subgraph-runner.js';
import { endIfUntold, isUnread, untilRead } from '#platform/subgraph/until-read.js';

import { badRequest } from './bad-request.js';
import type { SubgraphClient } from './data-source.js';
import type { Documents } from './documents.js';
import { readyOperation, type OperationRequest } from './execute.js';
import type { Admit } from './rate-limit/admission.js';
import type { PlanRunner } from './run-plan.js';

export type Subscribe = (
  request: OperationRequest,
) => Promise<EventStream<ExecutionResult> | ExecutionResult>;

export interface SubscriberOptions {
  documents: Documents;
  runner: PlanRunner;
  services: ServiceMap;
  clients: ReadonlyMap<string, SubgraphClient>;
  logger: Logger;
  admit?: Admit | undefined;
  exchange?: ExchangeContext | undefined;
}

/**
 * Federated subscriptions. The planner splits one into the primary fetch, which opens the event stream at the subgraph
 * that owns the field, and the rest, which is fetched for each event from the other subgraphs.
 */
export function createSubscriber(options: SubscriberOptions): Subscribe {
  const {
    documents,
    runner,
    services,
    clients,
    logger,
    admit,
    exchange = async (context) => context,
  } = options;
  return async (request) => {
    const ready = readyOperation(documents, request);
    if ('errors' in ready) return ready;
    const { operation, variables } = ready;
    const node = operation.plan?.node;
    if (node?.kind !== 'Subscription') return { errors: [badRequest('The operation is not a subscription')] };

    const { primary } = node;
    const { operation: query, operationName } = primary;
    const client = clients.get(primary.serviceName);
    if (!client) throw new Error(`No client for subgraph ${primary.serviceName}`);
    const { context } = request;
    const refusal = await admit?.(operation, context);
    if (refusal) return { errors: [refusal] };
    const source = await client.subscribe(
      { query, operationName, variables: used(primary, variables) },
      await exchange(context),
    );
    if (!(Symbol.asyncIterator in source)) return refused(source);

    const plan = eventPlan(node);
    const left = new AbortController();
    return mapEvents(
      source,
      async (event) => {
        const { result, eventContext } = await readEvent(
          event,
          // An API key's token of a minute ago has ended.
          await exchange(context),
        );
        const shape = async (asked: RequestContext) =>
          runner.run({
            operation,
            plan,
            services: { ...services, [primary.serviceName]: answeredOnce(services, primary, result) },
            variables,
            context: asked,
          });
        // The event's own subgraph has waited for its part already.
        const shaped = isUnread(result)
          ? await shape(eventContext)
          : await untilRead((isFirst) => shape(isFirst ? eventContext : { ...eventContext }), left.signal);
        const cursor = cursorOf(result);
        // Without a cursor it is its subgraph's own word at the end.
        if (cursor !== undefined && !left.signal.aborted) endIfUntold(shaped);
        return cursor === undefined ? shaped : { ...shaped, extensions: { cursor } };
      },
      (error) => {
        if (error instanceof ApiError) {
          return new GraphQLError(error.message, { extensions: { ...error.extensions } });
        }
        logger.error({ err: error, requestId: context.requestId }, 'A subscription ended unexpectedly');
        return new GraphQLError('Internal error', { extensions: { code: 'INTERNAL' } });
      },
      () => left.abort(),
    );
  };
}

/** Every event has a context of its own, or DataLoaders would answer it with what they loaded for an earlier one. */
async function readEvent(
  event: SubgraphEvent,
  context: RequestContext,
): Promise<{ result: FormattedExecutionResult; eventContext: RequestContext }> {
  const { after: _, ...eventContext } = context;
  return { result: await event(eventContext), eventContext };
}

function eventPlan({ primary, rest }: SubscriptionNode): QueryPlan {
  return { kind: 'QueryPlan', node: rest ? { kind: 'Sequence', nodes: [primary, rest] } : primary };
}

/** The plan's first fetch is answered with the event; every other one goes to the subgraph. */
function answeredOnce(
  services: ServiceMap,
  primary: FetchNode,
  { data, errors }: FormattedExecutionResult,
): GraphQLDataSource {
  let isAnswered = false;
  return {
    process: (options) => {
      if (isAnswered || options.request.query !== primary.operation) {
        return services[primary.serviceName]!.process(options);
      }
      isAnswered = true;
      return Promise.resolve({ data: data ?? null, ...(errors ? { errors } : {}) });
    },
  };
}

function used(
  { variableUsages = [] }: FetchNode,
  variables: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(
    variableUsages.filter((name) => Object.hasOwn(variables, name)).map((name) => [name, variables[name]]),
  );
}

function refused({ errors = [] }: FormattedExecutionResult): ExecutionResult {
  return {
    errors: errors.map(({ message, path, extensions }) => new GraphQLError(message, { path, extensions })),
  };
}
