import { Kind, type DefinitionNode, type ExecutionResult, type OperationDefinitionNode } from 'graphql';

import type { Metrics } from '#platform/metrics.js';
import { mapEvents, type EventStream } from '#platform/subgraph/map-events.js';
import { isTracing, traced } from '#platform/telemetry/tracing.js';

import type { Timed } from './data-source.js';
import type { Documents } from './documents.js';
import type { Execute, OperationRequest } from './execute.js';
import type { Subscribe } from './subscribe.js';

/** The gateway's doors, with what comes through them counted. */
export function observe(metrics: Metrics, execute: Execute, subscribe: Subscribe) {
  const count = metrics.counter(
    'panel_graphql_operations_total',
    'GraphQL operations by outcome: ok, or the code of their first error. REST routes are operations too.',
    ['kind', 'outcome'],
  );
  const dropped = countDrops(metrics);
  let standing = 0;
  metrics.gauge('panel_subscriptions', 'Subscriptions that stand at this gateway.', [], () => [
    { value: standing },
  ]);
  const observed: { execute: Execute; subscribe: Subscribe } = {
    execute: async (request) => {
      let outcome = 'INTERNAL';
      try {
        const result = await (isTracing() ? inSpan(request, () => execute(request)) : execute(request));
        outcome = outcomeOf(result);
        return result;
      } finally {
        count({ kind: 'operation', outcome });
      }
    },
    subscribe: async (request) => {
      const answer = await subscribe(request);
      const isOpen = Symbol.asyncIterator in answer;
      count({ kind: 'subscription', outcome: isOpen ? 'ok' : outcomeOf(answer) });
      if (!isOpen) return answer;
      standing += 1;
      return untilEnded(
        answer,
        () => (standing -= 1),
        (reason) => dropped(reason),
      );
    },
  };
  return observed;
}

/** The operation as a part of a trace. Its text is left out: it may hold what a client wrote into it. */
async function inSpan(
  { operationName, document }: OperationRequest,
  execute: () => Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  const name = operationName ?? document?.definitions.find(isOperation)?.name?.value ?? '';
  return traced(
    `graphql ${name}`.trim(),
    { attributes: { 'graphql.operation.name': name } },
    async (span) => {
      const result = await execute();
      const outcome = outcomeOf(result);
      if (outcome !== 'ok') span?.setAttribute('error.type', outcome);
      return result;
    },
  );
}

const isOperation = (node: DefinitionNode): node is OperationDefinitionNode =>
  node.kind === Kind.OPERATION_DEFINITION;

// Why a subscription may end although its client wanted more, besides a restart.
const dropReasons = new Set(['SUBSCRIPTION_OVERRUN', 'CURSOR_EXPIRED', 'EVENT_UNREAD', 'STALLED']);

/** Counts subscriptions whose events a client did not get, by why. */
export function countDrops(metrics: Metrics): (reason: unknown) => void {
  const count = metrics.counter(
    'panel_dropped_subscriptions_total',
    'Subscriptions and sockets that were ended with events untold: too slow (SUBSCRIPTION_OVERRUN, STALLED), too far back (CURSOR_EXPIRED), or in an outage (EVENT_UNREAD).',
    ['reason'],
    [...dropReasons].map((reason) => ({ reason })),
  );
  return (reason) => {
    if (typeof reason === 'string' && dropReasons.has(reason)) count({ reason });
  };
}

/** Counts how often an operation was found planned, and how often it had to be. */
export function countPlans(metrics: Metrics, documents: Documents): void {
  const count = metrics.counter(
    'panel_query_plans_total',
    'Operations by whether their plan was known (hit) or had to be made (miss).',
    ['outcome'],
  );
  documents.onAsked = (outcome) => count({ outcome });
}

/** Times what the gateway asks of subgraphs. */
export function timeSubgraphs(metrics: Metrics): Timed {
  const noteFetch = metrics.histogram(
    'panel_subgraph_duration_seconds',
    'Time of a subgraph to answer one fetch of a plan.',
    ['subgraph', 'outcome'],
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
  );
  return (subgraph) => {
    const begun = performance.now();
    return ({ errors }) =>
      noteFetch((performance.now() - begun) / 1000, {
        subgraph,
        outcome: errors ? codeOf(errors[0]) : 'ok',
      });
  };
}

/** Calls `ended` once, whichever end of the stream ends it, and `dropped` with why it was ended for its client. */
function untilEnded(
  source: EventStream<ExecutionResult>,
  ended: () => void,
  dropped: (reason: unknown) => void,
): EventStream<ExecutionResult> {
  let hasEnded = false;
  const end = (): void => {
    if (!hasEnded) ended();
    hasEnded = true;
  };
  const watched: AsyncIterable<ExecutionResult> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        try {
          const step = await source.next();
          if (step.done) end();
          else dropped(step.value.errors?.[0]?.extensions['reason']);
          return step;
        } catch (error) {
          dropped((error as { extensions?: { reason?: unknown } }).extensions?.reason);
          end();
          throw error;
        }
      },
      return: async () => {
        end();
        return source.return(undefined);
      },
    }),
  };
  return mapEvents(watched, (event) => Promise.resolve(event));
}

function outcomeOf({ errors }: ExecutionResult): string {
  const [first] = errors ?? [];
  return first ? codeOf(first) : 'ok';
}

function codeOf(error: { extensions?: Readonly<Record<string, unknown>> | undefined } | undefined): string {
  const code = error?.extensions?.['code'];
  return typeof code === 'string' ? code : 'INTERNAL';
}
