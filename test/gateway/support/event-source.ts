import { createEventQueue, type EventQueue } from '#gateway/event-queue.js';
import type { EventStream } from '#platform/subgraph/map-events.js';

/** Events for every subscription that is open. */
export class EventSource<Event> {
  private readonly queues = new Set<EventQueue<Event>>();

  /** Subscriptions that are open. */
  get size(): number {
    return this.queues.size;
  }

  open(): EventStream<Event> {
    const queue = createEventQueue<Event>(100_000, () => this.queues.delete(queue));
    this.queues.add(queue);
    return queue.stream;
  }

  push(event: Event): void {
    for (const queue of this.queues) queue.push(event);
  }
}
