import type { FormattedExecutionResult } from 'graphql';

import type { EventStream } from './map-events.js';
import type { SubgraphEvent } from './subgraph-runner.js';

const askEveryMs = 1_000;

/**
 * The events of a stream until its subscriber is refused, asked for every second: the refusal is then the last event. A
 * subscription may stand for hours after the token that opened it was withdrawn.
 */
export function untilRefused(
  source: EventStream<SubgraphEvent>,
  refusal: () => Promise<FormattedExecutionResult | undefined>,
): EventStream<SubgraphEvent> {
  let last: FormattedExecutionResult | undefined;
  const end = async (): Promise<void> => {
    clearInterval(timer);
    await source.return(undefined);
  };
  const timer = setInterval(() => {
    refusal()
      .then(async (refused) => {
        if (!refused) return;
        last = refused;
        await end();
      })
      // Whether it is refused is not known now, and is asked again.
      .catch(() => undefined);
  }, askEveryMs).unref();

  return {
    next: async () => {
      const step = await source.next().catch((error: unknown) => {
        clearInterval(timer);
        throw error;
      });
      if (!last) {
        if (step.done) clearInterval(timer);
        return step;
      }
      const told = last;
      last = undefined;
      return { value: () => Promise.resolve(told), done: false };
    },
    return: async () => {
      last = undefined;
      await end();
      return { value: undefined, done: true };
    },
    throw: async (error: unknown) => {
      last = undefined;
      await end();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: end,
  };
}
