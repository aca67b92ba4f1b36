import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { GraphQLError, type ExecutionArgs } from 'graphql';
import { handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';

import { callerOf } from '#platform/caller.js';
import { longestBody, longestBodyOfStrangers } from '#platform/client-data.js';
import type { Clock } from '#platform/clock.js';
import { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import type { TrustProxy } from './client-address.js';
import { closeCodes, closingOf, spreadOver } from './close-codes.js';
import { Connection, type ConnectionLimits } from './connection.js';
import type { Documents } from './documents.js';
import type { Execute } from './execute.js';
import { Holders, type HolderLimits } from './holders.js';
import type { Origins } from './origins.js';
import type { Charge } from './rate-limit/admission.js';
import { requestContextFrom } from './request-context.js';
import { tokenExpired, watchToken, type Verify } from './standing-token.js';
import type { Subscribe } from './subscribe.js';
import { UnfinishedMessages, type UnfinishedLimits } from './unfinished-messages.js';

/** How many sockets each may have open, and as many streams of events. */
export interface WebSocketLimits extends ConnectionLimits, HolderLimits, UnfinishedLimits {
  /** Bytes of one message from a client. */
  messageBytes: number;
  /** Operations under way on one socket. */
  operations: number;
  pingEveryMs: number;
  /** How long a client that never says who it is may stay. */
  anonymousMs: number;
  /** How long a client may take to say who it is. */
  initWithinMs: number;
  /** The time over which `stop` spreads its closes, so that many clients do not all come back at once. */
  closeOverMs: number;
}

export const webSocketLimits: WebSocketLimits = {
  bufferedBytes: 4 * 1024 * 1024,
  stalledAfterMs: 5_000,
  messageBytes: longestBody,
  strangerBytes: longestBodyOfStrangers,
  messageWithinMs: 10_000,
  unfinishedBytes: 64 * longestBody,
  // A process that ends sends everybody behind one address to another one within a few seconds.
  anonymousPerAddress: 1_000,
  perTenant: 2_000,
  perNode: 20,
  operations: 100,
  pingEveryMs: 12_000,
  anonymousMs: 60_000,
  initWithinMs: 5_000,
  // With the time that a peer may take to answer, within the clients' phase of a stop.
  closeOverMs: 2_400,
};

export interface WebSocketOptions {
  documents: Documents;
  execute: Execute;
  subscribe: Subscribe;
  verify: Verify;
  logger: Logger;
  clock: Clock;
  trustProxy: TrustProxy;
  origins?: Origins | undefined;
  /** Asked for each operation before it is read; rate limits. */
  charge?: Charge | undefined;
  limits: WebSocketLimits;
  /** Told of each reader that is cut off because it takes nothing. */
  onStalled?: () => void;
}

export interface GraphQLWebSocketServer {
  attach(server: Server): void;
  /** How many are open. */
  count(): number;
  /** Tells every socket to go; calls after the first wait for the same end. */
  stop(): Promise<void>;
}

/** Serves the protocol graphql-transport-ws at /graphql. */
export function createWebSocketServer(options: WebSocketOptions): GraphQLWebSocketServer {
  const { documents, execute, subscribe, verify, logger, clock, trustProxy, limits } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, handleProtocols });
  const connections = new Map<WebSocket, Connection>();
  const holders = new Holders(limits);
  const unfinished = new UnfinishedMessages(limits);
  let stopping: Promise<void> | undefined;

  const protocol = makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: limits.initWithinMs,
    onConnect: async ({ connectionParams, extra: connection }) => {
      const authorization = authorizationOf(connectionParams) ?? connection.base.authorization;
      if (authorization === undefined) {
        connection.leaveAfter(limits.anonymousMs);
        return true;
      }
      const token = await verify(authorization, connection.base);
      if (token instanceof ApiError) return refuse(connection, token);
      if (token.expiresAt * 1000 <= clock.now().getTime()) return refuse(connection, tokenExpired());
      // It may have gone meanwhile, and leaves once.
      if (connection.signal.aborted) return false;
      if (!holders.signIn(connection, token)) {
        connection.end(closeCodes.tooManyOfOne);
        return false;
      }
      connection.authenticate(authorization);
      const { base, signal } = connection;
      watchToken({ ...base, authorization, expiresAt: token.expiresAt, signal }, verify, clock, (denial) => {
        connection.end(closingOf(denial));
      }).catch((error: unknown) => {
        logger.error({ err: error, requestId: base.requestId }, 'A WebSocket could not be ended in time');
      });
      return true;
    },
    onSubscribe: async ({ subscriptions, extra: connection }, _id, payload) => {
      if (Object.keys(subscriptions).length > limits.operations) return [tooMany(limits.operations)];
      const context = connection.operationContext(payload.extensions);
      const unpaid = await options.charge?.(context);
      if (unpaid) return [unpaid];
      connection.operationPaid();
      return executionArgs(documents, payload, context);
    },
    execute: (args) => execute(requestOf(args)),
    subscribe: (args) => subscribe(requestOf(args)),
  });

  const pay = async (context: RequestContext) => (await options.charge?.(context)) === undefined;
  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const context = requestContextFrom(request, trustProxy);
    const connection = new Connection(socket, context, limits, pay, logger, options.onStalled);
    connections.set(socket, connection);
    unfinished.watch({
      socket,
      stream: request.socket,
      isStranger: () => !connection.isSignedIn,
      end: (closing) => connection.end(closing),
    });
    socket.once('close', () => {
      connections.delete(socket);
      holders.leave(connection);
      connection.dispose();
    });
    if (options.origins && !options.origins.admits(request)) return connection.end(closeCodes.foreignOrigin);
    if (!holders.enter(connection, context.clientAddress)) return connection.end(closeCodes.tooManySockets);
    const closed = protocol.opened(connection.transport(), connection);
    socket.once('close', (code, reason) => {
      Promise.resolve(closed(code, reason.toString())).catch((error: unknown) => {
        logger.error({ err: error, requestId: context.requestId }, 'Closing a WebSocket failed');
      });
    });
  });

  const pings = setInterval(() => {
    for (const connection of connections.values()) connection.ping();
  }, limits.pingEveryMs).unref();

  const upgrade = (server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (pathOf(request) !== '/graphql') {
      // Another listener may serve other paths; when there is none, nobody else would answer.
      if (server.listenerCount('upgrade') === 1) refuseUpgrade(socket, 404);
    } else if (stopping) {
      refuseUpgrade(socket, 503);
    } else {
      sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
    }
  };

  async function closeAll(): Promise<void> {
    clearInterval(pings);
    const overMs = spreadOver(connections.size, limits.closeOverMs);
    await Promise.all([...connections.values()].map((connection) => leave(connection, overMs)));
    sockets.close();
  }

  return {
    count: () => connections.size,
    attach: (server) => {
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        try {
          upgrade(server, request, socket, head);
        } catch (error) {
          // Nobody else would catch it.
          logger.error({ err: error }, 'A WebSocket could not be opened');
          socket.destroy();
        }
      });
    },
    stop: async () => {
      stopping ??= closeAll();
      await stopping;
    },
  };
}

/** False makes graphql-ws close the socket too, which has no effect on one that is closing. */
function refuse(connection: Connection, denial: ApiError): false {
  connection.end(closingOf(denial));
  return false;
}

async function leave(connection: Connection, overMs: number): Promise<void> {
  await sleep(Math.random() * overMs);
  await connection.close(closeCodes.restart);
}

function authorizationOf(connectionParams: Record<string, unknown> | undefined): string | undefined {
  const given = connectionParams?.authorization ?? connectionParams?.Authorization;
  return typeof given === 'string' && given !== '' ? given : undefined;
}

function executionArgs(
  documents: Documents,
  { query, operationName, variables }: SubscribePayload,
  contextValue: RequestContext,
): ExecutionArgs | readonly GraphQLError[] {
  const { operation, errors } = documents.prepare({ query, caller: callerOf(contextValue) }, operationName);
  if (errors) return errors;
  const { document, context } = operation;
  // An empty name is none, as over HTTP.
  const named = operationName || undefined;
  return { schema: context.schema, document, operationName: named, variableValues: variables, contextValue };
}

function requestOf({ document, operationName, variableValues, contextValue }: ExecutionArgs) {
  return { document, operationName, variables: variableValues, context: contextValue as RequestContext };
}

function tooMany(operations: number): GraphQLError {
  return new GraphQLError(`A socket carries at most ${operations} operations at a time`, {
    extensions: { code: 'LIMIT_REACHED', details: { limit: operations, used: operations } },
  });
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}

function refuseUpgrade(socket: Duplex, status: number): void {
  // A peer that resets the connection now must not end the process.
  socket.on('error', () => {});
  // A peer that keeps its half open would keep ours.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
