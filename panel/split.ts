import { readFileSync } from 'node:fs';

import { createGateway, type Gateway } from '#gateway/gateway.js';
import { Origins } from '#gateway/origins.js';
import { Admission } from '#gateway/rate-limit/admission.js';
import type { Area } from '#platform/area.js';
import { remoteKeys } from '#platform/auth/remote-keys.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { TokenVerifier } from '#platform/auth/tokens.js';
import { systemClock, type Clock } from '#platform/clock.js';
import { createHttpServer } from '#platform/http-server.js';
import { findBrokenRules } from '#platform/input-rules.js';
import type { Logger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import { createSubgraphServer } from '#platform/subgraph/server.js';
import { startTracing } from '#platform/telemetry/start.js';

import { allInputRules, areas, type AreaName, type AreaSettings } from './areas.js';
import { prepareDatabase } from './database.js';
import type { PanelEnv } from './env.js';
import { GatewayBeacon } from './gateway-beacon.js';
import { createHttpApp } from './http.js';
import { KeyedTokens } from './keyed-tokens.js';
import { loadKeyring } from './keyring.js';
import { serve } from './listen.js';
import { measureReadiness, serveMetrics } from './metrics.js';
import { createProxy } from './proxy.js';
import { createRateLimits } from './rate-limits.js';
import { createReadPositions } from './read-positions.js';
import { runAtGateway } from './run-at-gateway.js';
import type { RunningProcess } from './running-process.js';
import { Shutdown } from './shutdown.js';
import type { SplitEnv } from './split-env.js';
import { createSubgraphs } from './subgraphs.js';
import { tracingOptions } from './tracing.js';
import { addressOf, panelVersion } from './version.js';
import { Wait } from './wait-when-behind.js';
import { tlsWarnings } from './warnings.js';

export interface SplitOptions {
  panel: PanelEnv;
  split: SplitEnv;
  settings: AreaSettings;
  logger: Logger;
  clock?: Clock;
  /** Aborted when the process is told to end before it has started. */
  stopped?: AbortSignal;
}

export type { RunningProcess } from './running-process.js';

/** Runs one subgraph at an address of its own. */
export async function startSubgraph(
  name: AreaName,
  options: SplitOptions,
): Promise<RunningProcess & { setupLink: string | undefined }> {
  const { panel: env, split, logger, clock = systemClock } = options;
  for (const warning of tlsWarnings(env)) logger.warn(warning);
  const keyring = loadKeyring(env);
  const shutdown = new Shutdown({ graceMs: env.DRAIN_SECONDS * 1000, logger });
  const metrics = serveMetrics({ env, process: name, logger });
  const stopTracing = await startTracing(tracingOptions(env, name, logger));
  shutdown.add('database', 'the last traces', stopTracing);
  const wait = new Wait({ env, logger, stopped: options.stopped });
  const database = await prepareDatabase(env, keyring, logger, wait.whenBehind);
  shutdown.add('clients', 'the port of the wait', () => wait.close());
  shutdown.add('database', 'the database', () => database.stop());
  let isBroken = false;
  void database.failed.then(() => (isBroken = true));
  try {
    const read = await createReadPositions(env, logger, metrics.metrics);
    shutdown.add('subgraphs', 'read positions', read.stop);
    const subgraphs = await createSubgraphs({
      names: [name],
      databaseUrls: database.urls,
      positions: read.positions,
      databaseConnections: env.DATABASE_CONNECTIONS,
      keyring,
      clock,
      logger,
      publicUrl: split.publicUrl,
      nodeName: env.NODE_NAME,
      version: env.PANEL_VERSION ?? panelVersion,
      settings: options.settings,
      userKeys: remoteKeys(`${split.addresses.identity}/.well-known/jwks.json`, clock, logger),
      isBehindGateways: true,
      runOperation: runAtGateway(() => split.gatewayUrl),
      metrics: metrics.metrics,
    });
    shutdown.add('work', 'what is under way', () => subgraphs.endWork());
    shutdown.add('background', 'background work', () => subgraphs.stopBackground());
    shutdown.add('subgraphs', `the subgraph ${name}`, () => subgraphs.stop());
    await subgraphs.start();
    const setupLink = await subgraphs.setupLink();
    const [subgraph] = subgraphs.all;
    if (!subgraph) throw new Error(`there is no subgraph ${name}`);
    const { routers, webhooks, verifier } = subgraphs;
    const problems = async () =>
      shutdown.isStopping ? [`the subgraph ${name} is stopping`] : subgraphs.problems();
    measureReadiness(metrics.metrics, problems);
    const served = await createSubgraphServer({
      subgraph,
      verifier,
      logger,
      routers: [metrics.router, ...webhooks, ...routers],
      keepAliveSeconds: env.KEEP_ALIVE_SECONDS,
      problems,
      warnings: () => subgraphs.warnings(),
      isBroken: () => isBroken,
    });
    shutdown.add('clients', 'closing WebSockets', () => served.leave());
    shutdown.add('subgraphs', 'the GraphQL server', () => served.stop());
    const scraped = await metrics.listen();
    shutdown.add('subgraphs', 'the metrics', () => scraped.stop());
    const port = await serve(served.server, env, shutdown, wait.handOver());
    subgraphs.registry.serves(addressOf(env, port));
    shutdown.onAnnounce(() => subgraphs.registry.drain());
    return {
      url: `http://127.0.0.1:${port}`,
      metricsUrl: scraped.url,
      setupLink,
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

/** Runs a gateway with the REST routes, in front of subgraphs at other addresses. */
export async function startGateway(options: SplitOptions): Promise<RunningProcess & { gateway: Gateway }> {
  const { panel: env, split, logger, clock = systemClock } = options;
  const keyring = loadKeyring(env);
  const tokens = new ServiceTokens(keyring, split.publicUrl, clock);
  const verifier = new TokenVerifier({
    issuer: split.publicUrl,
    keyring,
    userKeys: remoteKeys(`${split.addresses.identity}/.well-known/jwks.json`, clock, logger),
    clock,
  });
  const trustProxy = env.TRUST_PROXY;
  const brokenRules = findBrokenRules(allInputRules, clock);
  const origins = env.CORS_ORIGINS && new Origins(env.CORS_ORIGINS, split.publicUrl);
  const shutdown = new Shutdown({ graceMs: env.DRAIN_SECONDS * 1000, logger });
  const metrics = serveMetrics({ env, process: 'gateway', logger });
  const { limits, stop: stopLimits } = await createRateLimits(env, logger, metrics.metrics);
  shutdown.add('subgraphs', 'rate limits', stopLimits);
  const stopTracing = await startTracing(tracingOptions(env, 'gateway', logger));
  shutdown.add('database', 'the last traces', stopTracing);
  try {
    const keys = new KeyedTokens({ gateway: () => gateway, tokens, verifier, limits, clock });
    const admission = new Admission(limits, verifier, keys.exchanged);
    const gateway: Gateway = await createGateway({
      supergraphSdl: readFileSync(assetPath('schema', 'supergraph.graphql'), 'utf8'),
      subgraphs: Object.entries(split.addresses).map(([name, url]) => ({ name, url: `${url}/graphql` })),
      logger,
      clock,
      trustProxy,
      brokenRules,
      origins,
      admit: admission.admit,
      charge: admission.charge,
      exchange: keys.exchanged,
      verify: keys.verify,
      metrics: metrics.metrics,
      remote: { gatewayToken: () => tokens.forGateway() },
    });
    shutdown.add('clients', 'closing WebSockets', () => gateway.leave());
    shutdown.add('subgraphs', 'the connections to subgraphs', () => gateway.stop());
    const proxies = (pathsOf: (area: Area) => readonly string[] | undefined) =>
      areas.flatMap((area) => {
        const paths = pathsOf(area);
        return paths ? [createProxy(split.addresses[area.name], paths, () => tokens.forGateway())] : [];
      });
    const app = createHttpApp({
      gateway,
      admission,
      metrics,
      verifier,
      exchange: keys.exchanged,
      logger,
      trustProxy,
      publicUrl: split.publicUrl,
      brokenRules,
      origins,
      problems: async () => (shutdown.isStopping ? ['the gateway is stopping'] : gateway.ready()),
      routers: proxies(({ forwardedPaths }) => forwardedPaths),
      webhooks: proxies(({ webhookPaths }) => webhookPaths),
    });
    const server = createHttpServer(app, env.KEEP_ALIVE_SECONDS);
    gateway.attach(server);
    const scraped = await metrics.listen();
    shutdown.add('subgraphs', 'the metrics', () => scraped.stop());
    const port = await serve(server, env, shutdown);
    const beacon = new GatewayBeacon({
      target: split.addresses.fleet,
      gatewayToken: () => tokens.forGateway(),
    });
    // It hears nobody any more.
    shutdown.add('clients', 'the beacon', () => beacon.stop());
    await beacon.start();
    return {
      url: `http://127.0.0.1:${port}`,
      metricsUrl: scraped.url,
      gateway,
      stopWithinMs: shutdown.withinMs,
      stop: (how) => shutdown.stop(how),
    };
  } catch (error) {
    await shutdown.stop({ isFailing: true });
    throw error;
  }
}
