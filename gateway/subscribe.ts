import type { GraphQLDataSource, ServiceMap } from '@apollo/gateway';
import type { FetchNode, QueryPlan, SubscriptionNode } from '@apollo/query-planner';
import { GraphQLError, type ExecutionResult, type FormattedExecutionResult } from 'graphql';

import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { ExchangeContext, RequestContext } from '#platform/request-context.js';
import { cursorOf } from '#platform/subgraph/cursor.js';
import { mapEvents, type EventStream } from '#platform/subgraph/map-events.js';
import { toGraphQLError } from '#platform/subgraph/mask-errors.js';
import {
  EventReader,
  endIfUntold,
  eventUnread,
  isNothing,
  isUnread,
  type ReadPatience,
} from '#platform/subgraph/until-read.js';

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
  readPatience?: ReadPatience | undefined;
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
    const { operation, variables, nodes } = ready;
    const node = operation.plan?.node;
    if (node?.kind !== 'Subscription') return { errors: [badRequest('The operation is not a subscription')] };

    const { primary } = node;
    const { operation: query, operationName } = primary;
    const client = clients.get(primary.serviceName);
    if (!client) throw new Error(`No client for subgraph ${primary.serviceName}`);
    const { context } = request;
    const refusal = await admit?.(operation, context, nodes);
    if (refusal) return { errors: [refusal] };
    const source = await client.subscribe(
      { query, operationName, variables: used(primary, variables) },
      await exchange(context),
    );
    if (!(Symbol.asyncIterator in source)) return refused(source);

    const plan = eventPlan(node);
    const left = new AbortController();
    const reader = new EventReader(left.signal, options.readPatience);
    const renewed = renewer(context, exchange);
    return mapEvents(
      source,
      async (event) => {
        let own: RequestContext | undefined;
        const result = await event(async () => (own = await renewed()));
        const read = async (): Promise<ExecutionResult> => {
          // What its own subgraph has loaded for the event need not be loaded again for the rest.
          const asked = own ?? (await renewed());
          own = undefined;
          return runner.run({
            operation,
            plan,
            services: { ...services, [primary.serviceName]: answeredOnce(services, primary, result) },
            variables,
            context: asked,
          });
        };
        const tell = async () => read().catch(nothingRead);
        // The event's own subgraph has waited for its part already.
        const told = isUnread(result) ? await tell() : await reader.read(tell);
        // Where that has told nothing, it has decided so.
        if (!isNothing(result) && !left.signal.aborted) endIfUntold(told);
        const cursor = cursorOf(result);
        return cursor === undefined ? told : { ...told, extensions: { cursor } };
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

/**
 * Makes the contexts of events. Each try has its own, or DataLoaders would answer it with what they loaded for an earlier
 * one, and the token of an API key that it has was exchanged just now: that of a minute ago has ended.
 */
function renewer(opened: RequestContext, exchange: ExchangeContext): () => Promise<RequestContext> {
  const { after: _, ...context } = opened;
  return async () => {
    try {
      return { ...(await exchange(context)) };
    } catch (error) {
      // Without a token no event can be read.
      throw isUnavailable(error) ? eventUnread(error) : error;
    }
  };
}

function nothingRead(error: unknown): ExecutionResult {
  if (!isUnavailable(error)) throw error;
  return { data: null, errors: [toGraphQLError(error)] };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'UNAVAILABLE';
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
