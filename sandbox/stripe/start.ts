import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';

import { serveControl } from './control/control.js';
import { serveApi } from './http/api.js';
import { Faults, type Fault } from './http/faults.js';
import { IdempotencyKeys } from './http/idempotency.js';
import { servePage } from './page/pages.js';
import { defaultSettings, type BillingSettings } from './settings.js';
import { StateFile } from './store/state-file.js';
import { Store } from './store/store.js';
import { nextStep, settleTime } from './time/agenda.js';
import { advanceClocks } from './time/test-clock.js';
import { Deliveries, defaultDelivery, type DeliverySettings } from './webhook/delivery.js';
import { makeEndpoint } from './webhook/operations.js';
import { World } from './world.js';

export interface StripeSandboxOptions {
  /** 0 takes a free one. */
  port: number;
  host?: string;
  /** Time of everybody without a test clock, of signatures, and of retries. */
  clock: Clock;
  /** An endpoint that is there from the start and gets all events. */
  webhook?: { url: string; secret: string };
  /** Where everything is kept over a restart; nothing is kept without it. */
  stateFile?: string;
  logger: Logger;
  billing?: Partial<BillingSettings>;
  delivery?: Partial<DeliverySettings>;
}

export interface StripeSandbox {
  /** Where the SDK is to look: its parts are host, port and protocol. */
  readonly url: string;
  readonly secretKey: string;
  readonly publishableKey: string;
  /** Advances a test clock, as the API does, and waits until all that was due has happened. */
  advance(testClock: string, toSeconds: number): Promise<void>;
  /** Lets what is due by the clock happen; without it that is at the next request or a little later. */
  settle(): void;
  /** Resolves when every webhook was delivered once, or failed and waits for a retry. */
  delivered(): Promise<void>;
  addFault(fault: Partial<Fault> & Pick<Fault, 'kind'>): void;
  deliver(settings: Partial<DeliverySettings>): void;
  /** Events that are held back, oldest first. */
  heldEvents(): { id: string; type: string }[];
  /** Delivers held events: these, in this order, each as often as it is named; or all. */
  release(events?: readonly string[]): void;
  stop(): Promise<void>;
}

/** Starts a server on loopback that speaks Stripe's API, for the official SDK and the official CLI. */
export async function startStripeSandbox(options: StripeSandboxOptions): Promise<StripeSandbox> {
  const { clock, logger, host = '127.0.0.1' } = options;
  const store = new Store();
  const keys = new IdempotencyKeys();
  const faults = new Faults();
  const file = options.stateFile === undefined ? undefined : new StateFile(options.stateFile, store, keys);
  await file?.load();

  let url = '';
  const settings: BillingSettings = { ...defaultSettings, ...options.billing };
  const world = new World(
    store,
    settings,
    () => url,
    () => clock.now(),
  );
  const deliveries = new Deliveries(world, clock, logger);
  deliveries.settings = { ...defaultDelivery, ...options.delivery };
  const stopped = new AbortController();
  const settle = () => settleTime(world);
  const saved = async () => file?.saved();
  const settingsChanged = () => {
    store.timeVersion += 1;
    waker.look();
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname.startsWith('/_sandbox/pages/')) {
      settle();
      await servePage(world, saved, request, response);
    } else if (pathname.startsWith('/_sandbox/'))
      await serveControl({ faults, deliveries, settings, settingsChanged }, request, response);
    else await serveApi({ world, keys, faults, logger, settle, saved }, request, response);
  };
  // Longer than clients keep a connection, so that none sends a request into one that is just being closed.
  const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 80_000 }, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      logger.error({ err: error, url: request.url }, 'a request failed');
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  url = `http://${host}:${(server.address() as AddressInfo).port}`;

  const waker = new Waker(world, clock, stopped.signal, logger);
  world.onCommit((events) => {
    deliveries.add(events);
    waker.look();
    setImmediate(() => {
      if (stopped.signal.aborted) return;
      try {
        advanceClocks(world);
      } catch (error) {
        logger.error({ err: error }, 'a test clock could not be advanced');
      }
      void saved().catch((error: unknown) => logger.error({ err: error }, 'the state could not be kept'));
    });
  });
  if (options.webhook) keepEndpoint(world, options.webhook);
  const undelivered = store.all('event').filter((event) => event.pending_webhooks > 0);
  if (undelivered.length > 0) deliveries.add(undelivered);
  advanceClocks(world);
  waker.look();

  return {
    url,
    secretKey: ['sk', 'test', 'sandbox'].join('_'),
    publishableKey: ['pk', 'test', 'sandbox'].join('_'),
    async advance(testClock, toSeconds) {
      world.transact(() => {
        const found = store.get('test_helpers.test_clock', testClock);
        if (!found) throw new Error(`there is no test clock ${testClock}`);
        if (toSeconds <= found.frozen_time) return;
        store.change('test_helpers.test_clock', testClock, {
          status: 'advancing',
          status_details: { advancing: { target_frozen_time: toSeconds } },
        });
      });
      advanceClocks(world);
      await saved();
    },
    settle,
    delivered: () => deliveries.settled(),
    addFault: (one) => faults.add({ next: 1, status: 500, delayMs: 0, isHtml: false, isKept: false, ...one }),
    deliver(wanted) {
      deliveries.settings = { ...deliveries.settings, ...wanted };
    },
    heldEvents: () => deliveries.held().map(({ id, type }) => ({ id, type })),
    release: (events) => deliveries.release(events),
    async stop() {
      stopped.abort(new Error('the sandbox was stopped'));
      deliveries.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await saved();
    },
  };
}

/** Wakes when the next thing is due by the clock, and lets it happen. */
class Waker {
  private wakesAt = Infinity;

  constructor(
    private readonly world: World,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    private readonly logger: Logger,
  ) {}

  look(): void {
    const at = nextStep(this.world, null)?.at ?? Infinity;
    if (at >= this.wakesAt || this.signal.aborted) return;
    this.wakesAt = at;
    const wait = at * 1000 - this.clock.now().getTime();
    // Timers of Node end at 24 days; an early look does no harm.
    const waited = wait > 0 ? this.clock.delay(Math.min(wait, 86_400_000), this.signal) : Promise.resolve();
    waited.then(
      () => setImmediate(() => this.wake()),
      () => undefined,
    );
  }

  private wake(): void {
    if (this.signal.aborted) return;
    this.wakesAt = Infinity;
    try {
      settleTime(this.world);
    } catch (error) {
      this.logger.error({ err: error }, 'a step of time failed');
    }
    this.look();
  }
}

/** The endpoint that the options name: one and the same over restarts, also when it has moved. */
function keepEndpoint(world: World, { url, secret }: { url: string; secret: string }): void {
  const { store } = world;
  world.transact(() => {
    const before = store
      .all('webhook_endpoint')
      .find(({ id }) => store.mark(`${id} is of the options`) === 1);
    if (before) store.change('webhook_endpoint', before.id, { url, secret, status: 'enabled' });
    else
      store.setMark(`${makeEndpoint(world, { url, secret, enabled_events: ['*'] }).id} is of the options`, 1);
  });
}
