import type { Server } from 'node:http';

import { Router } from 'express';
import type { GraphQLSchema } from 'graphql';

import { systemClock, type Clock } from '#platform/clock.js';
import type { FindBrokenRules } from '#platform/input-rules.js';
import type { Logger } from '#platform/logger.js';
import type { Metrics } from '#platform/metrics.js';
import type { ExchangeContext } from '#platform/request-context.js';
import { SubgraphRunner } from '#platform/subgraph/subgraph-runner.js';
import type { Subgraph } from '#platform/subgraph/subgraph.js';
import type { ReadPatience } from '#platform/subgraph/until-read.js';

import type { TrustProxy } from './client-address.js';
import { SubgraphDataSource, inProcessClient, type SubgraphClient } from './data-source.js';
import { Documents } from './documents.js';
import { EventStreams } from './event-stream.js';
import { createExecutor, type Execute } from './execute.js';
import { createGraphiqlRouter } from './graphiql.js';
import { createHttpRouter } from './http.js';
import { defaultLimits, type DocumentLimits } from './limits.js';
import { countDrops, countPlans, observe, timeSubgraphs } from './observe.js';
import type { Origins } from './origins.js';
import type { Admit, Charge } from './rate-limit/admission.js';
import { remoteClient, type RemoteOptions, type RemoteSubgraph } from './remote-data-source.js';
import { requestContextMiddleware } from './request-context.js';
import { PlanRunner } from './run-plan.js';
import type { Verify } from './standing-token.js';
import { createSubscriber, type Subscribe } from './subscribe.js';
import { loadSupergraph } from './supergraph.js';
import { createWebSocketServer, webSocketLimits, type WebSocketLimits } from './websocket.js';

export interface GatewayOptions {
  supergraphSdl: string;
  /** Each subgraph of the supergraph, run in this process or reached at its address. */
  subgraphs: readonly (Subgraph | RemoteSubgraph)[];
  logger: Logger;
  verify: Verify;
  trustProxy?: TrustProxy;
  /** What the areas' rules say of an input that is refused for its types. */
  brokenRules?: FindBrokenRules | undefined;
  /** Sites besides the panel's own whose pages may open WebSockets; without it all may. */
  origins?: Origins | undefined;
  limits?: Partial<DocumentLimits>;
  webSocketLimits?: Partial<WebSocketLimits>;
  remote?: RemoteOptions;
  /** Whether browsers get GraphiQL, at /graphiql. */
  hasGraphiql?: boolean;
  clock?: Clock;
  /** Asked before each operation; rate limits. */
  admit?: Admit;
  /** Puts tokens in the place of API keys. */
  exchange?: ExchangeContext;
  /** Asked for each operation on a WebSocket, before it is read. */
  charge?: Charge;
  /** How long events wait for what cannot be read. */
  readPatience?: ReadPatience;
  /** Counts operations, subscriptions and WebSockets. */
  metrics?: Metrics;
}

export interface Gateway {
  /** What clients see. */
  schema: GraphQLSchema;
  execute: Execute;
  subscribe: Subscribe;
  /** POST and GET /graphql, and GraphiQL. */
  router: Router;
  /** Serves WebSockets on the server's /graphql. */
  attach: (server: Server) => void;
  /** What keeps this gateway from serving; empty when it can. */
  ready: () => Promise<string[]>;
  /** Takes no more WebSockets and closes those that are open and streams of events, spread over a few seconds; requests go on. */
  leave: () => Promise<void>;
  /** Leaves, then closes the connections to subgraphs. */
  stop: () => Promise<void>;
}

/** Puts the gateway together. It listens to nothing by itself. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { logger, trustProxy = false, clock = systemClock, admit, readPatience } = options;
  const graph = loadSupergraph(options.supergraphSdl);
  const clients = new Map(options.subgraphs.map((subgraph) => [subgraph.name, clientFor(subgraph, options)]));
  const missing = graph.subgraphNames.filter((name) => !clients.has(name));
  if (missing.length > 0)
    throw new Error(`The supergraph has subgraphs that nobody serves: ${missing.join(', ')}`);

  const timed = options.metrics && timeSubgraphs(options.metrics);
  const services = Object.fromEntries(
    [...clients].map(([name, client]) => [name, new SubgraphDataSource(name, client, timed)]),
  );
  const documents = new Documents(graph, { ...defaultLimits, ...options.limits }, logger);
  if (options.metrics) countPlans(options.metrics, documents);
  const runner = new PlanRunner(graph, logger);
  const plainExecute = createExecutor({
    documents,
    runner,
    services,
    admit,
    brokenRules: options.brokenRules,
    exchange: options.exchange,
  });
  const plainSubscribe = createSubscriber({
    documents,
    runner,
    services,
    clients,
    logger,
    admit,
    exchange: options.exchange,
    readPatience,
  });
  const limits = { ...webSocketLimits, ...options.webSocketLimits };
  const dropped = options.metrics && countDrops(options.metrics);
  const onStalled = () => dropped?.('STALLED');
  const { execute, subscribe } = options.metrics
    ? observe(options.metrics, plainExecute, plainSubscribe)
    : { execute: plainExecute, subscribe: plainSubscribe };
  const webSockets = createWebSocketServer({
    documents,
    execute,
    subscribe,
    verify: options.verify,
    logger,
    clock,
    trustProxy,
    origins: options.origins,
    charge: options.charge,
    limits,
    onStalled,
  });
  const streams = new EventStreams({ verify: options.verify, clock, logger, limits, onStalled });

  options.metrics?.gauge('panel_websockets', 'WebSockets that are open at this gateway.', [], () => [
    { value: webSockets.count() },
  ]);

  const router = Router();
  router.use('/graphql', requestContextMiddleware(trustProxy));
  if (options.hasGraphiql ?? true) router.use(createGraphiqlRouter());
  router.use(createHttpRouter({ documents, execute, subscribe, streams, logger }));

  const leave = async () => {
    await Promise.all([webSockets.stop(), streams.stop()]);
  };

  return {
    schema: graph.schema,
    execute,
    subscribe,
    router,
    attach: (server) => webSockets.attach(server),
    ready: async () => {
      const problems = await Promise.all([...clients.values()].map((client) => client.problem()));
      return problems.filter((problem) => problem !== undefined);
    },
    leave,
    stop: async () => {
      await leave();
      await Promise.all([...clients.values()].map((client) => client.stop()));
    },
  };
}

function clientFor(
  subgraph: Subgraph | RemoteSubgraph,
  { logger, remote, readPatience }: GatewayOptions,
): SubgraphClient {
  if ('url' in subgraph) return remoteClient(subgraph, logger, remote);
  return inProcessClient(new SubgraphRunner(subgraph, logger, readPatience));
}
