import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import express from 'express';
import { parse, type FormattedExecutionResult } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

import { requestContextFrom } from '#gateway/request-context.js';
import { silentLogger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';
import { mapEvents } from '#platform/subgraph/map-events.js';
import { SubgraphRunner, type SubgraphRequest } from '#platform/subgraph/subgraph-runner.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';
import type { ReadPatience } from '#platform/subgraph/until-read.js';

interface Subscription extends SubgraphRequest {
  extensions: { requestContext: RequestContext };
}

export interface SubgraphServer {
  name: string;
  url: string;
  /** Cuts every connection, as a restart does; new ones are taken at once. */
  cut(): void;
  /** Closes every WebSocket with a code of WebSockets or of graphql-ws. */
  close(code: number): void;
  stop(): Promise<void>;
}

/** Serves one subgraph at an address of its own: HTTP for fetches, graphql-transport-ws for subscriptions. */
export async function startSubgraphServer(
  subgraph: Subgraph,
  logger = silentLogger,
  patience?: ReadPatience,
): Promise<SubgraphServer> {
  const runner = new SubgraphRunner(subgraph, logger, patience);
  const app = express().post('/graphql', express.json({ limit: '10mb' }), async (request, response) => {
    response.json(await runner.execute(request.body as SubgraphRequest, requestContextFrom(request, true)));
  });
  const server = createServer(app);
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const sockets = new WebSocketServer({ server, path: '/graphql' });
  useServer(
    {
      onSubscribe: (_context, _id, payload) => ({
        schema: subgraph.schema,
        document: parse(payload.query),
        contextValue: payload,
      }),
      subscribe: async ({ contextValue }) => {
        const { extensions, ...request } = contextValue as Subscription;
        const stream = await runner.subscribe(request, { ...extensions.requestContext });
        if (!(Symbol.asyncIterator in stream)) return stream as never;
        return mapEvents(stream, (event) => event(async () => ({ ...extensions.requestContext }))) as never;
      },
      // The runner's errors are plain already, and graphql-ws would call their toJSON.
      onNext: (_context, _id, _payload, _args, result) => result as FormattedExecutionResult as never,
    },
    sockets,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    name: subgraph.name,
    url: `http://127.0.0.1:${port}/graphql`,
    cut: () => {
      for (const socket of connections) socket.destroy();
    },
    close: (code) => {
      for (const socket of sockets.clients) socket.close(code);
    },
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
