import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { createGateway, type Gateway } from '#gateway/gateway.js';
import { Admission } from '#gateway/rate-limit/admission.js';
import { remoteKeys } from '#platform/auth/remote-keys.js';
import { ServiceTokens } from '#platform/auth/service-token.js';
import { TokenVerifier } from '#platform/auth/tokens.js';
import { systemClock, type Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import { createSubgraphServer } from '#platform/subgraph/server.js';
import type { FleetEnv } from '#subgraphs/fleet/env.js';
import type { IdentityEnv } from '#subgraphs/identity/env.js';

import { prepareDatabase } from './database.js';
import type { PanelEnv } from './env.js';
import { createHttpApp } from './http.js';
import { KeyedTokens } from './keyed-tokens.js';
import { loadKeyring } from './keyring.js';
import { drain, listen, parseTrustProxy } from './listen.js';
import { serveMetrics } from './metrics.js';
import { createProxy } from './proxy.js';
import { createRateLimits } from './rate-limits.js';
import type { SplitEnv } from './split-env.js';
import { createSubgraphs, type SubgraphName } from './subgraphs.js';

export interface SplitOptions {
  panel: PanelEnv;
  split: SplitEnv;
  identity: IdentityEnv;
  fleet: FleetEnv;
  logger: Logger;
  clock?: Clock;
}

export interface RunningProcess {
  url: string;
  /** Where METRICS_PORT is. */
  metricsUrl: string | undefined;
  stop(): Promise<void>;
}

/** Runs one subgraph at an address of its own. */
export async function startSubgraph(
  name: SubgraphName,
  options: SplitOptions,
): Promise<RunningProcess & { setupLink: string | undefined }> {
  const { panel: env, split, logger, clock = systemClock } = options;
  const keyring = loadKeyring(env);
  const metrics = serveMetrics({ env });
  const database = await prepareDatabase(env, keyring, logger);
  const subgraphs = await createSubgraphs({
    names: [name],
    databaseUrl: database.url,
    keyring,
    clock,
    logger,
    publicUrl: split.publicUrl,
    nodeName: env.NODE_NAME,
    fleet: options.fleet,
    identity: options.identity,
    userKeys: remoteKeys(`${split.addresses.identity}/.well-known/jwks.json`, clock, logger),
    metrics: metrics.metrics,
  });
  await subgraphs.start();
  const setupLink = await subgraphs.identity?.ensureFirstAdministrator({
    publicUrl: split.publicUrl,
    email: options.identity.ADMIN_EMAIL,
    password: options.identity.ADMIN_PASSWORD,
  });
  const [subgraph] = subgraphs.all;
  if (!subgraph) throw new Error(`there is no subgraph ${name}`);
  const { routers, verifier } = subgraphs;
  const served = await createSubgraphServer({
    subgraph,
    verifier,
    logger,
    routers: [metrics.router, ...routers],
    problems: () => subgraphs.problems(),
  });
  const scraped = await metrics.listen();
  const port = await listen(served.server, env.PORT, env.HOST ?? '0.0.0.0');
  return {
    url: `http://127.0.0.1:${port}`,
    metricsUrl: scraped.url,
    setupLink,
    stop: async () => {
      await scraped.stop();
      await served.stop();
      await subgraphs.stop();
      await database.stop();
    },
  };
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
  const metrics = serveMetrics({ env });
  const trustProxy = parseTrustProxy(env.TRUST_PROXY);
  const { limits, stop: stopLimits } = await createRateLimits(env, logger);
  const keys = new KeyedTokens({ gateway: () => gateway, tokens, verifier, limits, clock });
  const admission = new Admission(limits, verifier, keys.exchanged);
  const gateway: Gateway = await createGateway({
    supergraphSdl: readFileSync(assetPath('schema', 'supergraph.graphql'), 'utf8'),
    subgraphs: Object.entries(split.addresses).map(([name, url]) => ({ name, url: `${url}/graphql` })),
    logger,
    clock,
    trustProxy,
    admit: admission.admit,
    charge: admission.charge,
    exchange: keys.exchanged,
    verify: keys.verify,
    metrics: metrics.metrics,
    remote: { gatewayToken: () => tokens.forGateway() },
  });
  let isStopping = false;
  const app = createHttpApp({
    gateway,
    admission,
    metrics,
    verifier,
    exchange: keys.exchanged,
    logger,
    trustProxy,
    problems: async () => [...(isStopping ? ['the gateway is stopping'] : []), ...(await gateway.ready())],
    routers: [
      createProxy(
        split.addresses.identity,
        ['/.well-known', '/setup', '/account', '/oauth', '/audit', '/msp', '/branding'],
        () => tokens.forGateway(),
      ),
      createProxy(split.addresses.fleet, ['/notifications'], () => tokens.forGateway()),
    ],
  });
  const server = createServer(app);
  gateway.attach(server);
  const scraped = await metrics.listen();
  const port = await listen(server, env.PORT, env.HOST ?? '0.0.0.0');
  return {
    url: `http://127.0.0.1:${port}`,
    metricsUrl: scraped.url,
    gateway,
    stop: async () => {
      isStopping = true;
      await scraped.stop();
      await gateway.stop();
      await drain(server);
      await stopLimits();
    },
  };
}
