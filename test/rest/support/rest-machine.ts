import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import express from 'express';
import { execute, GraphQLError, type ExecutionResult } from 'graphql';
import { pino } from 'pino';

import { packageRoot } from '#platform/package-root.js';
import type { RequestContext } from '#platform/request-context.js';
import { createRestRouter, type ExecuteOperation, type RestRouterOptions } from '#rest-compat/router.js';

import { boxRoutes } from './box-routes.js';
import { boxSchema } from './box-schema.js';

/** What one root field answers: a value, or a function of its arguments that may throw. */
export type Resolvers = Record<string, unknown>;

/** What fetch takes, its headers written one way only. */
export type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

export interface RestMachine extends AsyncDisposable {
  url: string;
  /** Sends a request with a token, as a client of the published API would. */
  send: (path: string, init?: Init) => Promise<Response>;
  post: (path: string, body: unknown, init?: Init) => Promise<Response>;
  /** Every operation that reached the gateway's door. */
  operations: Parameters<ExecuteOperation>[0][];
  /** Every line that was logged. */
  log: Record<string, unknown>[];
}

export interface MachineOptions {
  resolvers?: Resolvers;
  authenticate?: RestRouterOptions['authenticate'];
  /** Instead of running the schema. */
  execute?: ExecuteOperation;
}

/** A REST router over the box schema, behind a real server on loopback. */
export async function startMachine({
  resolvers = {},
  authenticate,
  execute: door,
}: MachineOptions = {}): Promise<RestMachine> {
  const operations: RestMachine['operations'] = [];
  const log: RestMachine['log'] = [];
  const logger = pino(
    {},
    { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) },
  );

  const app = express();
  app.use((request, response, next) => {
    const { authorization } = request.headers;
    const context: RequestContext = { requestId: 'req-1', clientAddress: '127.0.0.1' };
    response.locals.requestContext = authorization === undefined ? context : { ...context, authorization };
    next();
  });
  app.use(
    createRestRouter({
      schema: boxSchema,
      routes: boxRoutes,
      operationsFolder: join(packageRoot, 'test/rest/support/operations'),
      logger,
      ...(authenticate ? { authenticate } : {}),
      async execute(operation) {
        operations.push(operation);
        return door ? door(operation) : run(operation, resolvers);
      },
    }),
  );
  app.use((_request, response) => void response.status(404).end('beyond the REST router'));

  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send: RestMachine['send'] = async (path, init = {}) =>
    fetch(url + path, { ...init, headers: { authorization: 'Bearer token', ...init.headers } });
  return {
    url,
    operations,
    log,
    send,
    post: async (path, body, init = {}) =>
      send(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...init.headers },
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function run(
  { document, operationName, variables, context }: Parameters<ExecuteOperation>[0],
  resolvers: Resolvers,
): Promise<ExecutionResult> {
  return execute({
    schema: boxSchema,
    document,
    operationName,
    variableValues: variables,
    rootValue: resolvers,
    contextValue: context,
    typeResolver: (value) => ('bounces' in (value as object) ? 'Ball' : 'Box'),
  });
}

/** A page of boxes `1..total`, cursors being the number of the last box so far. */
export function boxesUpTo(
  total: number,
  extra: object = {},
): (window: { first?: number; after?: string }) => object {
  return ({ first = 50, after = '0' }) => {
    const start = Number(after);
    if (Number.isNaN(start))
      throw new GraphQLError('This cursor is not one of ours', { extensions: { code: 'BAD_REQUEST' } });
    const end = Math.min(start + first, total);
    const nodes = Array.from({ length: end - start }, (_, at) => ({
      id: `box_${start + at + 1}`,
      name: 'box',
      colour: 'RED',
      ...extra,
    }));
    return { nodes, pageInfo: { endCursor: String(end), hasNextPage: end < total }, totalCount: total };
  };
}
