import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, Server } from 'node:http';

import { ApolloServer, HeaderMap, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { expressMiddleware } from '@as-integrations/express5';
import express, { type Router } from 'express';
import { parse, type FormattedExecutionResult, type GraphQLSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

import { gatewayService, gatewayTokenHeader } from '../auth/service-token.js';
import type { TokenVerifier } from '../auth/tokens.js';
import { Engine } from '../execution/engine.js';
import { createHealthRouter, type Health } from '../health.js';
import { answerError } from '../http-error.js';
import { createHttpServer } from '../http-server.js';
import type { Logger } from '../logger.js';
import { mayLagHeader, type RequestContext } from '../request-context.js';
import { makeSlot, type Slot } from '../slot.js';
import { traceRequests } from '../telemetry/trace-requests.js';
import { identify } from './build.js';
import { openedAtOf } from './cursor.js';
import { mapEvents, startWith } from './map-events.js';
import { maskError, toGraphQLError } from './mask-errors.js';
import { longestSubscription, SubgraphRunner, type SubgraphRequest } from './subgraph-runner.js';
import type { Subgraph } from './subgraph.js';
import { untilRefused } from './until-refused.js';

export interface SubgraphServerOptions extends Health {
  subgraph: Subgraph;
  verifier: TokenVerifier;
  logger: Logger;
  /** Routes of the subgraph that are not GraphQL, which gateways proxy. */
  routers: readonly Router[];
  /** How long idle connections of gateways are kept. */
  keepAliveSeconds?: number;
}

export interface SubgraphServer {
  server: Server;
  /** Tells the gateways' WebSockets to go, and waits for them. Whoever listens ends the HTTP server beside it. */
  leave(): Promise<void>;
  /** Once nothing is under way any more. */
  stop(): Promise<void>;
}

/**
 * One subgraph behind an address of its own: HTTP for the gateway's fetches, graphql-transport-ws for subscriptions.
 * Only gateways are answered: they show a token that they can sign because they share SECRETS_KEY.
 */
export async function createSubgraphServer(options: SubgraphServerOptions): Promise<SubgraphServer> {
  const { subgraph, verifier, logger } = options;
  const requests = makeSlot<RequestContext>();
  const apollo = new ApolloServer<object>({
    schema: subgraph.schema,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger,
    plugins: [
      ApolloServerPluginInlineTraceDisabled(),
      executeCompiled(subgraph.schema, requests, logger.child({ subgraph: subgraph.name })),
    ],
  });
  await apollo.start();

  const app = express();
  app.disable('x-powered-by');
  app.use(createHealthRouter(options));
  app.use(traceRequests());
  app.post(
    '/graphql',
    async (request, response, next) => {
      if (await isGateway(verifier, request.header(gatewayTokenHeader))) next();
      else response.status(401).json({ errors: [{ message: 'Only gateways may call a subgraph' }] });
    },
    express.json({ limit: '10mb' }),
    expressMiddleware(apollo, {
      context: async ({ req }) => {
        const request = requestFrom(req.headers);
        const context = (await subgraph.createContext(request)) as object;
        requests.set(context, request);
        return context;
      },
    }),
  );
  // What a gateway tells of the client is believed; from anybody else only the socket is.
  app.use(async (incoming, response, next) => {
    const isFromGateway = await isGateway(verifier, incoming.header(gatewayTokenHeader));
    const request = requestFrom(incoming.headers);
    response.locals['isFromGateway'] = isFromGateway;
    response.locals['requestContext'] = isFromGateway
      ? request
      : { ...request, requestId: randomUUID(), clientAddress: incoming.socket.remoteAddress ?? '' };
    next();
  });
  for (const router of options.routers) app.use(router);
  app.use((_request, response) => void response.status(404).json({ error: 'Not found' }));
  app.use(answerError(logger.child({ subgraph: subgraph.name })));

  const server = createHttpServer(app, options.keepAliveSeconds);
  const sockets = serveSubscriptions(server, subgraph, verifier, logger);
  return {
    server,
    leave: () => sockets.stop(),
    stop: () => apollo.stop(),
  };
}

/** What the gateway tells of the client. */
function requestFrom(headers: IncomingHttpHeaders): RequestContext {
  const text = (name: string) => (typeof headers[name] === 'string' ? headers[name] : undefined);
  const optional = <Name extends string>(name: Name, value: string | undefined) =>
    (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: string };
  return {
    requestId: text('x-request-id') ?? '',
    clientAddress: text('x-forwarded-for') ?? '',
    ...optional('authorization', headers.authorization),
    ...optional('userAgent', headers['user-agent']),
    ...optional('idempotencyKey', text('idempotency-key')),
    ...(text(mayLagHeader) === undefined ? {} : { mayLag: true }),
  };
}

async function isGateway(verifier: TokenVerifier, token: unknown): Promise<boolean> {
  if (typeof token !== 'string') return false;
  const viewer = await verifier.verify(`Bearer ${token}`).catch(() => undefined);
  return viewer?.kind === 'service' && viewer.service === gatewayService;
}

/** Why the subscriber may not hear any more: its session, grant, key or tenant ended since. */
async function refusalOf(
  verifier: TokenVerifier,
  context: RequestContext,
): Promise<FormattedExecutionResult | undefined> {
  const { denial } = await identify(verifier, context);
  return denial && { data: null, errors: [toGraphQLError(denial).toJSON()] };
}

/** Executes and masks as in process, where Apollo Server would do both in its own way. */
function executeCompiled(
  schema: GraphQLSchema,
  requests: Slot<RequestContext>,
  logger: Logger,
): ApolloServerPlugin<object> {
  const engine = new Engine(schema);
  const logFor = (context: object) => logger.child({ requestId: requests.get(context)?.requestId });
  return {
    requestDidStart: async () => ({
      responseForOperation: async ({ document, request, contextValue }) => {
        const { operationName, variables: variableValues } = request;
        const { data, errors } = await engine.execute({
          document,
          operationName,
          variableValues,
          contextValue,
        });
        const masked = errors?.map((error) => maskError(error, logFor(contextValue)));
        const singleResult = { ...(masked ? { errors: masked } : {}), data: data ?? null };
        return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult } };
      },
      // What is refused before it is executed.
      willSendResponse: async ({ response, errors, contextValue }) => {
        if (response.body.kind !== 'single' || !errors) return;
        const log = logFor(contextValue);
        response.body.singleResult.errors = errors.map((error) => maskError(error, log));
      },
    }),
  };
}

interface RemoteSubscription extends SubgraphRequest {
  extensions?: { requestContext?: RequestContext };
}

function serveSubscriptions(
  server: Server,
  subgraph: Subgraph,
  verifier: TokenVerifier,
  logger: Logger,
): { stop(): Promise<void> } {
  const runner = new SubgraphRunner(subgraph, logger);
  const sockets = new WebSocketServer({ server, path: '/graphql', maxPayload: longestSubscription });
  const protocol = useServer<Record<string, unknown>>(
    {
      onConnect: async ({ connectionParams }) => isGateway(verifier, connectionParams?.[gatewayTokenHeader]),
      onSubscribe: (_context, _id, payload) => ({
        schema: subgraph.schema,
        document: parse(payload.query),
        contextValue: payload,
      }),
      subscribe: async ({ contextValue }) => {
        const { extensions, ...request } = contextValue as RemoteSubscription;
        const context = extensions?.requestContext;
        if (!context) throw new Error('a subscription of a gateway carries its request context');
        // Also when it is opened: a gateway that was cut off comes again with the token of then.
        const standing = { ...context, isStanding: true };
        const stream = await runner.subscribe(request, standing);
        if (!(Symbol.asyncIterator in stream)) return stream as never;
        const { after: _, ...eventContext } = standing;
        const allowed = untilRefused(stream, async () => refusalOf(verifier, eventContext));
        const answered = mapEvents(allowed, (event) => event(async () => ({ ...eventContext })));
        const openedAt = openedAtOf(stream);
        // For the gateway alone, which may be cut off before the first event.
        return (openedAt ? startWith({ data: null, extensions: { openedAt } }, answered) : answered) as never;
      },
      // The runner's errors are plain already, and graphql-ws would call their toJSON.
      onNext: (_context, _id, _payload, _args, result) => result as FormattedExecutionResult as never,
    },
    sockets,
  );
  return {
    stop: async () => {
      await protocol.dispose();
    },
  };
}
