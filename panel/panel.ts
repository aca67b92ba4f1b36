import { readFileSync } from 'node:fs';

import { createGateway, type Gateway } from '#gateway/gateway.js';
import { Origins } from '#gateway/origins.js';
import { Admission } from '#gateway/rate-limit/admission.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { systemClock, type Clock } from '#platform/clock.js';
import { createHttpServer } from '#platform/http-server.js';
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
import { drain, listen } from './listen.js';
import { createRateLimits } from './rate-limits.js';
import { createSubgraphs, subgraphNames } from './subgraphs.js';

export interface PanelOptions {
  panel: PanelEnv;
  identity: IdentityEnv;
  fleet: FleetEnv;
  logger: Logger;
  clock?: Clock;
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
  /** Lets requests under way finish, closes the others, and stops what it started. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts everything in this process: database, subgraphs, gateway, REST routes, one HTTP port. */
export async function startPanel(options: PanelOptions): Promise<Panel> {
  const { panel: env, logger, clock = systemClock } = options;
  const keyring = loadKeyring(env);
  const publicUrl = env.PUBLIC_URL ?? `http://localhost:${env.PORT}`;
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
    });
    undo.push(() => subgraphs.stop());
    await subgraphs.start();
    const trustProxy = env.TRUST_PROXY;
    const origins = env.CORS_ORIGINS && new Origins(env.CORS_ORIGINS, publicUrl);
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
      origins,
      admit: admission.admit,
      charge: admission.charge,
      exchange: keys.exchanged,
      verify: keys.verify,
    });
    undo.push(() => gateway.stop());
    const app = createHttpApp({
      gateway,
      admission,
      metrics: { token: env.METRICS_TOKEN, isLoopbackTrusted: env.DATABASE_URL === undefined },
      verifier,
      exchange: keys.exchanged,
      logger,
      trustProxy,
      origins,
      problems: async () => [
        ...(isStopping ? ['the panel is stopping'] : []),
        ...(await gateway.ready()),
        ...(await subgraphs.problems()),
      ],
      routers: subgraphs.routers,
    });
    const server = createHttpServer(app, env.KEEP_ALIVE_SECONDS);
    gateway.attach(server);
    const setupLink = await subgraphs.identity?.ensureFirstAdministrator({
      publicUrl,
      email: options.identity.ADMIN_EMAIL,
      password: options.identity.ADMIN_PASSWORD,
    });
    const port = await listen(server, env.PORT, env.HOST ?? '0.0.0.0');
    undo.push(() => drain(server));
    return {
      url: `http://127.0.0.1:${port}`,
      publicUrl,
      gateway,
      setupLink,
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
