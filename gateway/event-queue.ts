import { mapEvents, type EventStream } from '#platform/subgraph/map-events.js';

/** Turns pushed events into a stream. Holds at most `capacity` events that nobody has taken. */
export interface EventQueue<Event> {
  /** False when the queue is full or ended, and the event was not taken. */
  push(event: Event): boolean;
  /** Ends the stream after what is already in it, and after `last` if given. */
  end(last?: Event): void;
  stream: EventStream<Event>;
}

export function createEventQueue<Event>(capacity: number, onReturn: () => void): EventQueue<Event> {
  const waiting: Event[] = [];
  let take: ((step: IteratorResult<Event, undefined>) => void) | undefined;
  let hasEnded = false;

  const give = (event: Event): void => {
    if (take) take({ value: event, done: false });
    else waiting.push(event);
    take = undefined;
  };
  const source: AsyncIterable<Event> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const event = waiting.shift();
        if (event !== undefined) return Promise.resolve({ value: event, done: false });
        if (hasEnded) return Promise.resolve({ value: undefined, done: true });
        return new Promise((resolve) => {
          take = resolve;
        });
      },
      return: () => {
        hasEnded = true;
        waiting.length = 0;
        onReturn();
        return Promise.resolve({ value: undefined, done: true });
      },
    }),
  };

  return {
    push: (event) => {
      if (hasEnded || waiting.length >= capacity) return false;
      give(event);
      return true;
    },
    end: (last) => {
      if (hasEnded) return;
      if (last !== undefined) give(last);
      hasEnded = true;
      take?.({ value: undefined, done: true });
      take = undefined;
    },
    stream: mapEvents(source, (event) => Promise.resolve(event)),
  };
}
