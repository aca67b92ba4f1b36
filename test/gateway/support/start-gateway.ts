import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import express from 'express';
import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { composeSupergraph } from '#gateway/compose.js';
import { createGateway, type Gateway, type GatewayOptions } from '#gateway/gateway.js';
import { ApiError } from '#platform/errors.js';
import { createHttpServer } from '#platform/http-server.js';
import { silentLogger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import { startSubgraphServer, type SubgraphServer } from './subgraph-server.js';
import { World } from './world.js';

/** `in process` is the all-in-one process; `over HTTP` the split mode. */
export const modes = ['in process', 'over HTTP'] as const;
export type Mode = (typeof modes)[number];

export interface TestGateway {
  world: World;
  gateway: Gateway;
  url: string;
  /** Subgraph servers; none when they run in process. */
  servers: readonly SubgraphServer[];
  execute: (query: string, variables?: Record<string, unknown>) => Promise<unknown>;
  /** A graphql-ws client, disposed of with the test. */
  client: (options?: Partial<ClientOptions>) => Client;
}

export const caller: RequestContext = { requestId: 'test', clientAddress: '127.0.0.1' };

/** Tokens are `Bearer <seconds since the epoch>`, at which they end. */
const verify: GatewayOptions['verify'] = (authorization) => {
  const expiresAt = Number(authorization.replace('Bearer ', ''));
  const refused = new ApiError('UNAUTHENTICATED', 'The token is not valid', { reason: 'TOKEN_INVALID' });
  return Promise.resolve(Number.isNaN(expiresAt) ? refused : { expiresAt, tenantId: 'org_1' });
};

/** The same for every world: composing takes longer than most tests. */
let supergraphSdl: string | undefined;

/** A gateway over the world's subgraphs, behind a server of its own; all of it ends with the test. */
export async function startGateway(mode: Mode, options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const world = new World();
  supergraphSdl ??= composeSupergraph(world.subgraphs).supergraphSdl;
  const servers =
    mode === 'in process'
      ? []
      : await Promise.all(
          world.subgraphs.map((subgraph) =>
            startSubgraphServer(subgraph, silentLogger, options.readPatience),
          ),
        );
  const gateway = await createGateway({
    supergraphSdl,
    subgraphs: mode === 'in process' ? world.subgraphs : servers.map(({ name, url }) => ({ name, url })),
    logger: silentLogger,
    verify,
    ...options,
    webSocketLimits: { closeOverMs: 50, ...options.webSocketLimits },
  });
  const server = createHttpServer(express().use(gateway.router));
  gateway.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;

  onTestFinished(async () => {
    await gateway.stop();
    server.closeAllConnections();
    server.close();
    await Promise.all(servers.map((subgraph) => subgraph.stop()));
  });
  return {
    world,
    gateway,
    url,
    servers,
    // Through JSON, as a client gets it.
    execute: async (query, variables) =>
      JSON.parse(JSON.stringify(await gateway.execute({ query, variables, context: { ...caller } }))),
    client: (clientOptions) => {
      const client = createClient({
        url: url.replace('http', 'ws'),
        webSocketImpl: WebSocket,
        retryWait: () => Promise.resolve(),
        ...clientOptions,
      });
      onTestFinished(async () => client.dispose());
      return client;
    },
  };
}
