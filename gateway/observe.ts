import type { ExecutionResult } from 'graphql';

import type { Metrics } from '#platform/metrics.js';
import { mapEvents, type EventStream } from '#platform/subgraph/map-events.js';

import type { Execute } from './execute.js';
import type { Subscribe } from './subscribe.js';

/** The gateway's doors, with what comes through them counted. */
export function observe(metrics: Metrics, execute: Execute, subscribe: Subscribe) {
  const count = metrics.counter(
    'panel_graphql_operations_total',
    'GraphQL operations by outcome: ok, or the code of their first error. REST routes are operations too.',
    ['kind', 'outcome'],
  );
  let standing = 0;
  metrics.gauge('panel_subscriptions', 'Subscriptions that stand at this gateway.', [], () => [
    { value: standing },
  ]);
  const observed: { execute: Execute; subscribe: Subscribe } = {
    execute: async (request) => {
      const result = await execute(request).catch((error: unknown) => {
        count({ kind: 'operation', outcome: 'INTERNAL' });
        throw error;
      });
      count({ kind: 'operation', outcome: outcomeOf(result) });
      return result;
    },
    subscribe: async (request) => {
      const answer = await subscribe(request);
      const isOpen = Symbol.asyncIterator in answer;
      count({ kind: 'subscription', outcome: isOpen ? 'ok' : outcomeOf(answer) });
      if (!isOpen) return answer;
      standing += 1;
      return untilEnded(answer, () => (standing -= 1));
    },
  };
  return observed;
}

/** Calls `ended` once, whichever end of the stream ends it. */
function untilEnded(source: EventStream<ExecutionResult>, ended: () => void): EventStream<ExecutionResult> {
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
          return step;
        } catch (error) {
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
  if (!first) return 'ok';
  const { code } = first.extensions;
  return typeof code === 'string' ? code : 'INTERNAL';
}
