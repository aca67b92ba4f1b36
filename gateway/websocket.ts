import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { GraphQLError, type ExecutionArgs } from 'graphql';
import { handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';

import type { Clock } from '#platform/clock.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import type { TrustProxy } from './client-address.js';
import { closeCodes } from './close-codes.js';
import { Connection, type ReaderLimits } from './connection.js';
import type { Documents } from './documents.js';
import type { Execute } from './execute.js';
import type { Charge } from './rate-limit/admission.js';
import { requestContextFrom } from './request-context.js';
import type { Subscribe } from './subscribe.js';

/** Says when the token in an `Authorization` value ends; null when it is not valid. Throws when that is not known now. */
export type Verify = (
  authorization: string,
  client: { clientAddress: string },
) => Promise<{ expiresAt: number; tenantId: string } | null>;

export interface WebSocketLimits extends ReaderLimits {
  /** Bytes of one message from a client. */
  messageBytes: number;
  /** Operations under way on one socket. */
  operations: number;
  pingEveryMs: number;
  /** How long a client that never says who it is may stay. */
  anonymousMs: number;
  /** How long a client may take to say who it is. */
  initWithinMs: number;
  /** The time over which `stop` spreads its closes, so that clients do not all come back at once. */
  closeOverMs: number;
}

const defaultLimits: WebSocketLimits = {
  bufferedBytes: 4 * 1024 * 1024,
  stalledAfterMs: 5_000,
  messageBytes: 1024 * 1024,
  operations: 100,
  pingEveryMs: 12_000,
  anonymousMs: 60_000,
  initWithinMs: 5_000,
  closeOverMs: 3_000,
};

export interface WebSocketOptions {
  documents: Documents;
  execute: Execute;
  subscribe: Subscribe;
  verify: Verify;
  logger: Logger;
  clock: Clock;
  trustProxy: TrustProxy;
  /** Asked for each operation before it is read; rate limits. */
  charge?: Charge | undefined;
  limits: Partial<WebSocketLimits>;
}

export interface GraphQLWebSocketServer {
  attach(server: Server): void;
  /** How many are open. */
  count(): number;
  stop(): Promise<void>;
}

/** Serves the protocol graphql-transport-ws at /graphql. */
export function createWebSocketServer(options: WebSocketOptions): GraphQLWebSocketServer {
  const { documents, execute, subscribe, verify, logger, clock, trustProxy } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, handleProtocols });
  const connections = new Map<WebSocket, Connection>();
  let isStopping = false;

  const protocol = makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: limits.initWithinMs,
    onConnect: async ({ connectionParams, extra: connection }) => {
      const authorization = authorizationOf(connectionParams) ?? connection.base.authorization;
      if (authorization === undefined) {
        connection.leaveAfter(limits.anonymousMs);
        return true;
      }
      const token = await verify(authorization, connection.base);
      // False makes graphql-ws close with closeCodes.forbidden, which clients retry with a newer token.
      if (!token || token.expiresAt * 1000 <= clock.now().getTime()) return false;
      connection.authenticate(authorization, token.expiresAt);
      connection.recheck(async () => (await verify(authorization, connection.base)) !== null);
      return true;
    },
    onSubscribe: async ({ subscriptions, extra: connection }, _id, payload) => {
      if (Object.keys(subscriptions).length > limits.operations) return [tooMany(limits.operations)];
      const context = connection.operationContext(payload.extensions);
      const unpaid = await options.charge?.(context);
      return unpaid ? [unpaid] : executionArgs(documents, payload, context);
    },
    execute: (args) => execute(requestOf(args)),
    subscribe: (args) => subscribe(requestOf(args)),
  });

  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const context = requestContextFrom(request, trustProxy);
    const connection = new Connection(socket, context, limits, clock, logger);
    connections.set(socket, connection);
    const closed = protocol.opened(connection.transport(), connection);
    socket.once('close', (code, reason) => {
      connections.delete(socket);
      connection.dispose();
      Promise.resolve(closed(code, reason.toString())).catch((error: unknown) => {
        logger.error({ err: error, requestId: context.requestId }, 'Closing a WebSocket failed');
      });
    });
  });

  const pings = setInterval(() => {
    for (const connection of connections.values()) connection.ping();
  }, limits.pingEveryMs).unref();

  return {
    count: () => connections.size,
    attach: (server) => {
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        if (pathOf(request) !== '/graphql') {
          // Another listener may serve other paths; when there is none, nobody else would answer.
          if (server.listenerCount('upgrade') === 1) refuseUpgrade(socket, 404);
        } else if (isStopping) {
          refuseUpgrade(socket, 503);
        } else {
          sockets.handleUpgrade(request, socket, head, (opened) =>
            sockets.emit('connection', opened, request),
          );
        }
      });
    },
    stop: async () => {
      isStopping = true;
      clearInterval(pings);
      await Promise.all([...connections.values()].map((connection) => leave(connection, limits.closeOverMs)));
      sockets.close();
    },
  };
}

async function leave(connection: Connection, closeOverMs: number): Promise<void> {
  await sleep(Math.random() * closeOverMs);
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
  const { operation, errors } = documents.prepare({ query }, operationName);
  if (errors) return errors;
  const { document, context } = operation;
  return { schema: context.schema, document, operationName, variableValues: variables, contextValue };
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
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
