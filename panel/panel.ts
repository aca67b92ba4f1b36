import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { createGateway, type Gateway } from '#gateway/gateway.js';
import { Admission } from '#gateway/rate-limit/admission.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { systemClock, type Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import { Presence } from '#platform/membership/presence.js';
import { assetPath } from '#platform/package-root.js';
import type { FleetEnv } from '#subgraphs/fleet/env.js';
import type { IdentityEnv } from '#subgraphs/identity/env.js';

import { prepareDatabase } from './database.js';
import type { PanelEnv } from './env.js';
import { createHttpApp } from './http.js';
import { KeyedTokens } from './keyed-tokens.js';
import { loadKeyring } from './keyring.js';
import { drain, listen, parseTrustProxy } from './listen.js';
import { serveMetrics } from './metrics.js';
import { createRateLimits } from './rate-limits.js';
import { createSubgraphs, subgraphNames } from './subgraphs.js';

export interface PanelOptions {
  panel: PanelEnv;
  identity: IdentityEnv;
  fleet: FleetEnv;
  logger: Logger;
  clock?: Clock;
  /** Shows the metrics to programs on this machine. */
  isDemo?: boolean;
}

/** A running panel. */
export interface Panel {
  /** Where it listens on this machine. */
  url: string;
  /** Its address for the world, which is also the issuer of its tokens. */
  publicUrl: string;
  gateway: Gateway;
  /** The one-time link for making the first administrator; absent once there is one. */
  setupLink: string | undefined;
  /** Where METRICS_PORT is. */
  metricsUrl: string | undefined;
  /** Lets requests under way finish, closes the others, and stops what it started. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts everything in this process: database, subgraphs, gateway, REST routes, one HTTP port. */
export async function startPanel(options: PanelOptions): Promise<Panel> {
  const { panel: env, logger, clock = systemClock } = options;
  const keyring = loadKeyring(env);
  const publicUrl = env.PUBLIC_URL ?? `http://localhost:${env.PORT}`;
  const served = serveMetrics({ env, isDemo: options.isDemo });
  const database = await prepareDatabase(env, keyring, logger);
  const undo: (() => Promise<void>)[] = [() => database.stop()];
  let isStopping = false;
  const unwind = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    // Before any background work: a process that has to refuse to start must not have taken a lease.
    const presence = await Presence.announce({
      url: database.url,
      isSharing: env.REDIS_URL !== undefined,
      logger,
    });
    undo.push(() => presence.stop());
    const subgraphs = await createSubgraphs({
      names: subgraphNames,
      databaseUrl: database.url,
      keyring,
      clock,
      logger,
      publicUrl,
      nodeName: env.NODE_NAME,
      fleet: options.fleet,
      identity: options.identity,
      metrics: served.metrics,
    });
    undo.push(() => subgraphs.stop());
    await subgraphs.start();
    const trustProxy = parseTrustProxy(env.TRUST_PROXY);
    const tokens = new ServiceTokens(keyring, publicUrl, clock);
    const { verifier } = subgraphs;
    const { limits, stop: stopLimits } = await createRateLimits(env, logger);
    undo.push(stopLimits);
    const keys = new KeyedTokens({ gateway: () => gateway, tokens, verifier, limits, clock });
    const admission = new Admission(limits, verifier, keys.exchanged);
    const gateway: Gateway = await createGateway({
      supergraphSdl: readFileSync(assetPath('schema', 'supergraph.graphql'), 'utf8'),
      subgraphs: subgraphs.all,
      logger,
      clock,
      trustProxy,
      admit: admission.admit,
      charge: admission.charge,
      exchange: keys.exchanged,
      verify: keys.verify,
      metrics: served.metrics,
    });
    undo.push(() => gateway.stop());
    const app = createHttpApp({
      gateway,
      admission,
      metrics: served,
      verifier,
      exchange: keys.exchanged,
      logger,
      trustProxy,
      problems: async () => [
        ...(isStopping ? ['the panel is stopping'] : []),
        ...(await gateway.ready()),
        ...(await subgraphs.problems()),
      ],
      routers: subgraphs.routers,
    });
    const server = createServer(app);
    gateway.attach(server);
    const setupLink = await subgraphs.identity?.ensureFirstAdministrator({
      publicUrl,
      email: options.identity.ADMIN_EMAIL,
      password: options.identity.ADMIN_PASSWORD,
    });
    const scraped = await served.listen();
    undo.push(() => scraped.stop());
    const port = await listen(server, env.PORT, env.HOST ?? '0.0.0.0');
    undo.push(() => drain(server));
    return {
      url: `http://127.0.0.1:${port}`,
      publicUrl,
      gateway,
      setupLink,
      metricsUrl: scraped.url,
      stop: async () => {
        isStopping = true;
        await unwind();
      },
    };
  } catch (error) {
    await unwind();
    throw error;
  }
}
