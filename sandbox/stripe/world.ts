import type { BillingSettings } from './settings.js';
import { newId } from './store/ids.js';
import type { Store } from './store/store.js';
import type { Event, EventType, Resource } from './store/stored.js';

/** The version of Stripe's API whose shapes are spoken: that of the SDK. */
export const apiVersion = '2026-10-28.endive';

export interface Requester {
  id: string | null;
  idempotency_key: string | null;
}

/** What every operation works on: the resources, the time, the account's settings, and who hears of changes. */
export class World {
  /** The request under way; time's own steps have none. */
  requester: Requester = { id: null, idempotency_key: null };
  /** The moment of the step of time under way, which may be earlier than now. */
  private stepAt: number | undefined;
  private fresh: Event[] = [];
  private readonly listeners: ((events: readonly Event[]) => void)[] = [];

  constructor(
    readonly store: Store,
    readonly settings: BillingSettings,
    /** Where pages of this stand-in are found. */
    readonly pageUrl: () => string,
    private readonly machineTime: () => Date,
  ) {}

  /** Seconds now: on the test clock with this id, or on the clock of everybody who has none. */
  now(testClock: string | null): number {
    if (this.stepAt !== undefined) return this.stepAt;
    const clock = testClock === null ? undefined : this.store.get('test_helpers.test_clock', testClock);
    return clock?.frozen_time ?? this.machineNow();
  }

  machineNow(): number {
    return Math.floor(this.machineTime().getTime() / 1000);
  }

  /** Runs a step of time at its moment. */
  at(moment: number, step: () => void): void {
    const outer = this.stepAt;
    this.stepAt = moment;
    try {
      step();
    } finally {
      this.stepAt = outer;
    }
  }

  /** Calls back after each transaction that changed something, with the events it made. */
  onCommit(listener: (events: readonly Event[]) => void): void {
    this.listeners.push(listener);
  }

  /** Work that does not wait, done wholly or not at all. */
  transact<Result>(work: () => Result): Result {
    const before = this.store.version;
    this.fresh = [];
    try {
      return this.store.transaction(work);
    } finally {
      // What was taken back, or only tried, is not there any more.
      const events = this.fresh.filter(({ id }) => this.store.get('event', id) !== undefined);
      this.fresh = [];
      if (this.store.version !== before) for (const listener of this.listeners) listener(events);
    }
  }

  /** The test clock that a customer lives on. */
  clockOf(customer: string | null): string | null {
    const found = customer === null ? undefined : this.store.get('customer', customer);
    return (found?.test_clock as string | null | undefined) ?? null;
  }

  nowFor(customer: string | null): number {
    return this.now(this.clockOf(customer));
  }

  /**
   * Tells the world that something happened to a resource. `before` is the resource before a change: the event then
   * shows the earlier values of what differs, and there is no event when nothing does.
   */
  emit(type: EventType, resource: Resource, before?: Resource): void {
    const previous = before && differences(before, resource);
    if (previous && Object.keys(previous).length === 0) return;
    const event: Event = {
      id: newId('event'),
      object: 'event',
      api_version: apiVersion,
      created: this.now(clockOf(resource, this)),
      data: { object: shown(resource), ...(previous && { previous_attributes: previous }) },
      livemode: false,
      pending_webhooks: this.store.all('webhook_endpoint').filter((endpoint) => wants(endpoint, type)).length,
      request: { ...this.requester },
      type,
    };
    this.store.put('event', event);
    this.fresh.push(event);
  }
}

// Lines of a checkout session are kept with it, and sent only when asked for.
function shown(resource: Resource): object {
  if (resource.object !== 'checkout.session') return resource;
  const { line_items: _, ...others } = resource;
  return others;
}

/** Whether an endpoint asked for events of this type. */
export function wants(
  endpoint: { readonly enabled_events: readonly string[]; readonly status: string },
  type: string,
): boolean {
  const { enabled_events: wanted, status } = endpoint;
  return status === 'enabled' && (wanted.includes('*') || wanted.includes(type));
}

function clockOf(resource: Resource, world: World): string | null {
  if (resource.object === 'test_helpers.test_clock') return resource.id;
  if ('test_clock' in resource) return (resource.test_clock as string | null | undefined) ?? null;
  if (resource.object === 'dispute') {
    const charge = world.store.get('charge', String(resource.charge));
    return world.clockOf((charge?.customer ?? null) as string | null);
  }
  return 'customer' in resource ? world.clockOf(resource.customer as string | null) : null;
}

function differences(before: object, after: object): Record<string, unknown> {
  const later = after as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(before).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(later[name])),
  );
}
