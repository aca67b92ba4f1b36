import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';

import type { Event, WebhookEndpoint } from '../store/stored.js';
import { wants, type World } from '../world.js';
import { signatureHeader } from './signature.js';

/** How deliveries go. Everything but the first of each row is what a receiver has to be able to bear. */
export interface DeliverySettings {
  order: 'as_happened' | 'reversed' | 'shuffled';
  /** How often each event is sent, although it was taken. */
  copies: number;
  /** Events wait until they are released. */
  isHeld: boolean;
  /** So many deliveries are lost from now on, without a retry. */
  lose: number;
  /** Seconds from one failed attempt to the next; after the last one no more are made. */
  retryAfterSeconds: readonly number[];
}

export const defaultDelivery: DeliverySettings = {
  order: 'as_happened',
  copies: 1,
  isHeld: false,
  lose: 0,
  // Three days in all, longer and longer apart.
  retryAfterSeconds: [5, 60, 300, 1800, 7200, 18_000, 36_000, 36_000, 43_200, 43_200, 43_200, 28_000],
};

interface Delivery {
  event: Event;
  endpoint: string;
  attempt: number;
}

const timeoutMs = 20_000;
// In order means one after the other; otherwise several at a time, as from the real one.
const inFlightAtMost = { as_happened: 1, reversed: 1, shuffled: 8 };

/** Sends events to the endpoints that want them, signed, and again after failures. */
export class Deliveries {
  settings: DeliverySettings = { ...defaultDelivery };
  private waiting: Delivery[] = [];
  private inFlight = 0;
  private readonly stopped = new AbortController();
  private idle: (() => void)[] = [];

  constructor(
    private readonly world: World,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Takes up events, new ones or such as were not delivered before a restart. */
  add(events: readonly Event[]): void {
    for (const event of events) {
      for (const endpoint of this.world.store.all('webhook_endpoint')) {
        if (!wants(endpoint, event.type)) continue;
        for (let copy = 0; copy < this.settings.copies; copy += 1)
          this.waiting.push({ event, endpoint: endpoint.id, attempt: 0 });
      }
    }
    this.drainSoon();
  }

  /** Events that are held, oldest first. */
  held(): Event[] {
    return this.waiting.map(({ event }) => event);
  }

  /** Lets go of what is held: the events with these ids in this order, each as often as it is named, or all of them. */
  release(ids?: readonly string[]): void {
    if (ids) {
      const endpoints = [...new Set(this.waiting.map(({ endpoint }) => endpoint))];
      const events = ids.flatMap((id) => this.world.store.get('event', id) ?? []);
      this.waiting = events.flatMap((event) =>
        endpoints.map((endpoint) => ({ event, endpoint, attempt: 0 })),
      );
    }
    this.settings = { ...this.settings, isHeld: false };
    this.drainSoon();
  }

  /** Resolves when nothing is waiting or under way, but for retries that are still far off. */
  async settled(): Promise<void> {
    if (this.waiting.length === 0 && this.inFlight === 0) return;
    await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  stop(): void {
    this.stopped.abort(new Error('the sandbox was stopped'));
    this.waiting = [];
    this.tellIdle();
  }

  private drainSoon(): void {
    setImmediate(() => this.drain());
  }

  private drain(): void {
    const { order, isHeld } = this.settings;
    while (
      !isHeld &&
      !this.stopped.signal.aborted &&
      this.waiting.length > 0 &&
      this.inFlight < inFlightAtMost[order]
    ) {
      const at = {
        as_happened: 0,
        reversed: this.waiting.length - 1,
        shuffled: Math.floor(Math.random() * this.waiting.length),
      }[order];
      const [delivery] = this.waiting.splice(at, 1);
      if (!delivery) break;
      this.inFlight += 1;
      void this.deliver(delivery).finally(() => {
        this.inFlight -= 1;
        this.tellIdle();
        this.drain();
      });
    }
    this.tellIdle();
  }

  private tellIdle(): void {
    if (this.inFlight > 0 || (this.waiting.length > 0 && !this.settings.isHeld)) return;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private async deliver({ event, endpoint: id, attempt }: Delivery): Promise<void> {
    const endpoint = this.world.store.get('webhook_endpoint', id);
    if (!endpoint || endpoint.status !== 'enabled') return;
    if (this.settings.lose > 0) {
      this.settings = { ...this.settings, lose: this.settings.lose - 1 };
      return;
    }
    const failure = await this.post(event, endpoint);
    if (failure === undefined) {
      this.taken(event.id);
      return;
    }
    const wait = this.settings.retryAfterSeconds[attempt];
    this.logger.warn(
      { event: event.id, type: event.type, url: endpoint.url, failure, retryInSeconds: wait },
      'a webhook was not taken',
    );
    if (wait === undefined || this.stopped.signal.aborted) return;
    this.clock.delay(wait * 1000, this.stopped.signal).then(
      () => {
        this.waiting.push({ event, endpoint: id, attempt: attempt + 1 });
        this.drain();
      },
      () => undefined,
    );
  }

  private async post(event: Event, { url, secret }: WebhookEndpoint): Promise<string | undefined> {
    const body = JSON.stringify(event, null, 2);
    const signature = signatureHeader(body, secret ?? '', Math.floor(this.clock.now().getTime() / 1000));
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          'stripe-signature': signature,
        },
        signal: AbortSignal.any([this.stopped.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `answered ${response.status}`;
    } catch (error) {
      return failureOf(error);
    }
  }

  private taken(id: string): void {
    this.world.transact(() => {
      const event = this.world.store.get('event', id);
      if (event && event.pending_webhooks > 0)
        this.world.store.change('event', id, { pending_webhooks: event.pending_webhooks - 1 });
    });
  }
}

// fetch tells only in the cause what went wrong.
function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
