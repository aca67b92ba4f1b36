import { readFileSync } from 'node:fs';

import { createGateway, type Gateway } from '#gateway/gateway.js';
import { Origins } from '#gateway/origins.js';
import { Admission } from '#gateway/rate-limit/admission.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { systemClock, type Clock } from '#platform/clock.js';
import { createHttpServer } from '#platform/http-server.js';
import { findBrokenRules } from '#platform/input-rules.js';
import type { Logger } from '#platform/logger.js';
import { Presence } from '#platform/membership/presence.js';
import { assetPath } from '#platform/package-root.js';
import { startTracing } from '#platform/telemetry/start.js';

import { allInputRules, areaNames, type AreaSettings } from './areas.js';
import { prepareDatabase } from './database.js';
import { publicUrlOf, type PanelEnv } from './env.js';
import { createHttpApp } from './http.js';
import { KeyedTokens } from './keyed-tokens.js';
import { loadKeyring } from './keyring.js';
import { serve } from './listen.js';
import { serveMetrics } from './metrics.js';
import { createRateLimits } from './rate-limits.js';
import { createReadPositions } from './read-positions.js';
import type { RunningProcess } from './running-process.js';
import { Shutdown } from './shutdown.js';
import { createSubgraphs } from './subgraphs.js';
import { tracingOptions } from './tracing.js';
import { addressOf, panelVersion } from './version.js';
import { Wait } from './wait-when-behind.js';
import { publicUrlWarnings, tlsWarnings } from './warnings.js';

export interface PanelOptions {
  panel: PanelEnv;
  settings: AreaSettings;
  logger: Logger;
  clock?: Clock;
  /** Shows the metrics to programs on this machine. */
  isDemo?: boolean;
  /** Aborted when the process is told to end before it has started. */
  stopped?: AbortSignal;
}

/** A running panel. */
export interface Panel extends RunningProcess {
  /** Its address for the world, which is also the issuer of its tokens. */
  publicUrl: string;
  /** Where its database is, for the application's role. */
  databaseUrl: string;
  gateway: Gateway;
  /** The one-time link for making the first administrator; absent once there is one. */
  setupLink: string | undefined;
}

/** Starts everything in this process: database, subgraphs, gateway, REST routes, one HTTP port. */
export async function startPanel(options: PanelOptions): Promise<Panel> {
  const { panel: env, logger, clock = systemClock } = options;
  const keyring = loadKeyring(env);
  // A demo is for this machine.
  const warnings = [...tlsWarnings(env), ...(options.isDemo ? [] : publicUrlWarnings(env))];
  for (const warning of warnings) logger.warn(warning);
  const publicUrl = publicUrlOf(env);
  const shutdown = new Shutdown({ graceMs: env.DRAIN_SECONDS * 1000, logger });
  const served = serveMetrics({ env, process: 'panel', isDemo: options.isDemo, logger });
  const stopTracing = await startTracing(tracingOptions(env, 'panel', logger));
  shutdown.add('database', 'the last traces', stopTracing);
  const wait = new Wait({ env, logger, stopped: options.stopped });
  const database = await prepareDatabase(env, keyring, logger, wait.whenBehind);
  shutdown.add('clients', 'the port of the wait', () => wait.close());
  shutdown.add('database', 'the database', () => database.stop());
  let isBroken = false;
  let opened: (gateway: Gateway) => void;
  const door = new Promise<Gateway>((resolve) => (opened = resolve));
  void database.failed.then(() => (isBroken = true));
  try {
    // Before any background work: a process that has to refuse to start must not have taken a lease.
    const presence = await Presence.announce({
      url: database.url,
      isSharing: env.REDIS_URL !== undefined,
      logger,
    });
    shutdown.add('subgraphs', 'the announcement of this process', () => presence.stop());
    const read = await createReadPositions(env, logger, served.metrics);
    shutdown.add('subgraphs', 'read positions', read.stop);
    const subgraphs = await createSubgraphs({
      names: areaNames,
      databaseUrls: database.urls,
      positions: read.positions,
      databaseConnections: env.DATABASE_CONNECTIONS,
      keyring,
      clock,
      logger,
      publicUrl,
      nodeName: env.NODE_NAME,
      version: env.PANEL_VERSION ?? panelVersion,
      settings: options.settings,
      metrics: served.metrics,
      // Whoever asks before there is a gateway waits for it.
      runOperation: async (operation) => (await door).execute(operation),
    });
    shutdown.add('work', 'what is under way', () => subgraphs.endWork());
    shutdown.add('background', 'background work', () => subgraphs.stopBackground());
    shutdown.add('subgraphs', 'the subgraphs', () => subgraphs.stop());
    await subgraphs.start();
    const trustProxy = env.TRUST_PROXY;
    const brokenRules = findBrokenRules(allInputRules, clock);
    const origins = env.CORS_ORIGINS && new Origins(env.CORS_ORIGINS, publicUrl);
    const tokens = new ServiceTokens(keyring, publicUrl, clock);
    const { verifier } = subgraphs;
    const { limits, stop: stopLimits } = await createRateLimits(env, logger, served.metrics);
    shutdown.add('subgraphs', 'rate limits', stopLimits);
    const keys = new KeyedTokens({ gateway: () => gateway, tokens, verifier, limits, clock });
    const admission = new Admission(limits, verifier, keys.exchanged);
    const gateway: Gateway = await createGateway({
      supergraphSdl: readFileSync(assetPath('schema', 'supergraph.graphql'), 'utf8'),
      subgraphs: subgraphs.all,
      logger,
      clock,
      trustProxy,
      brokenRules,
      origins,
      admit: admission.admit,
      charge: admission.charge,
      exchange: keys.exchanged,
      verify: keys.verify,
      metrics: served.metrics,
    });
    opened!(gateway);
    shutdown.add('clients', 'closing WebSockets', () => gateway.leave());
    shutdown.add('subgraphs', 'the gateway', () => gateway.stop());
    const app = createHttpApp({
      gateway,
      admission,
      metrics: served,
      verifier,
      exchange: keys.exchanged,
      logger,
      trustProxy,
      publicUrl,
      brokenRules,
      origins,
      problems: async () =>
        shutdown.isStopping
          ? ['the panel is stopping']
          : [...(await gateway.ready()), ...(await subgraphs.problems())],
      warnings: () => subgraphs.warnings(),
      isBroken: () => isBroken,
      routers: subgraphs.routers,
      webhooks: subgraphs.webhooks,
    });
    const server = createHttpServer(app, env.KEEP_ALIVE_SECONDS);
    gateway.attach(server);
    const setupLink = await subgraphs.setupLink();
    const scraped = await served.listen();
    shutdown.add('subgraphs', 'the metrics', () => scraped.stop());
    const port = await serve(server, env, shutdown, wait.handOver());
    subgraphs.registry.serves(addressOf(env, port));
    shutdown.onAnnounce(() => subgraphs.registry.drain());
    return {
      url: `http://127.0.0.1:${port}`,
      publicUrl,
      databaseUrl: database.url,
      gateway,
      setupLink,
      metricsUrl: scraped.url,
      restart: subgraphs.registry.restart,
      failed: database.failed,
      stopWithinMs: shutdown.withinMs,
      stop: (how) => shutdown.stop(how),
    };
  } catch (error) {
    await shutdown.stop({ isFailing: true });
    throw error;
  }
}
