import type { FormattedExecutionResult } from 'graphql';
import { Pool, type Dispatcher } from 'undici';

import { gatewayTokenHeader } from '#platform/auth/service-token.js';
import type { Logger } from '#platform/logger.js';
import { Turns } from '#platform/membership/turns.js';
import { mayLagHeader, type RequestContext } from '#platform/request-context.js';
import type { SubgraphRequest } from '#platform/subgraph/subgraph-runner.js';
import { traceHeaders } from '#platform/telemetry/tracing.js';

import type { SubgraphClient } from './data-source.js';
import { createRemoteSubscriber } from './remote-subscriber.js';
import { isUndone, mayBeDone, nothingDone, unavailable } from './unavailable.js';

/** A subgraph at another address. Its WebSocket is at the same one. */
export interface RemoteSubgraph {
  name: string;
  url: string;
}

export interface RemoteOptions {
  /** How long a subgraph may take to answer one fetch. */
  timeoutMs?: number;
  /** Fetches under way; more wait, for half that time. */
  connections?: number;
  /** How long it may take to say that it is there. */
  readyWithinMs?: number;
  /** A token that shows a subgraph that it is the gateway who calls, and may be believed about the client's address. */
  gatewayToken?: () => Promise<string>;
}

/** How many may wait for each connection: what comes within seconds of a burst, and never so many that memory ends. */
const waitingForEach = 8;

/** Calls a subgraph over HTTP with kept connections, and subscribes over one shared WebSocket. */
export function remoteClient(
  { name, url }: RemoteSubgraph,
  logger: Logger,
  { timeoutMs = 10_000, connections = 64, readyWithinMs = 1_500, gatewayToken }: RemoteOptions = {},
): SubgraphClient {
  const { origin, pathname, search } = new URL(url);
  // The pool has no deadline for what waits in it, and what is sent late was asked for anew meanwhile.
  const turns = new Turns(connections, { waiting: connections * waitingForEach, waitMs: timeoutMs / 2 });
  const pool = new Pool(origin, {
    connections,
    connect: { timeout: 2_000 },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    // Ended here before the subgraph, or a proxy between, ends them under the next request.
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 50_000,
  });
  // That all of the others are taken is no reason to wait with this answer.
  const readiness = new Pool(origin, { connections: 1, connect: { timeout: readyWithinMs } });
  const subscriber = createRemoteSubscriber({ name, url }, logger, gatewayToken);

  const send = async (
    request: SubgraphRequest,
    context: RequestContext,
    by: { dispatcher: Dispatcher; signal?: AbortSignal } = { dispatcher: pool },
  ): Promise<FormattedExecutionResult> => {
    const { statusCode, body } = await by.dispatcher.request({
      path: `${pathname}${search}`,
      method: 'POST',
      headers: {
        ...headersFor(context),
        ...traceHeaders(),
        ...(gatewayToken ? { [gatewayTokenHeader]: await gatewayToken() } : {}),
      },
      body: JSON.stringify(request),
      signal: by.signal,
    });
    if (statusCode >= 500) {
      await body.dump();
      const refused = new Error(`Subgraph ${name} answered with status ${statusCode}`);
      throw statusCode === 503 ? Object.assign(refused, { code: nothingDone }) : refused;
    }
    const answer: unknown = await body.json();
    if (!isResult(answer)) throw new Error(`Subgraph ${name} answered with something other than a result`);
    return answer;
  };

  return {
    execute: async (request, context) => {
      try {
        return await turns.run(async () =>
          send(request, context).catch(async (error: unknown) => {
            // A kept connection may close just as it is used. Repeating a query is safe; a mutation may have been done.
            if (!isClosedConnection(error) || isMutation(request)) throw error;
            return send(request, context);
          }),
        );
      } catch (error) {
        logger.warn(
          { err: error, requestId: context.requestId, subgraph: name },
          'A subgraph gave no answer',
        );
        return isMutation(request) && !isUndone(error) ? mayBeDone() : unavailable();
      }
    },
    subscribe: (request, context) => Promise.resolve(subscriber.subscribe(request, context)),
    problem: async () => {
      try {
        const signal = AbortSignal.timeout(readyWithinMs);
        const asked = { requestId: 'ready', clientAddress: '' };
        await send({ query: '{__typename}' }, asked, { dispatcher: readiness, signal });
        return undefined;
      } catch (error) {
        // Everyone may read this: not where the subgraph is.
        logger.debug({ err: error, subgraph: name }, 'A subgraph does not answer');
        return `Subgraph ${name} does not answer${codeOf(error)}`;
      }
    },
    stop: async () => {
      await subscriber.stop();
      await Promise.all([pool.destroy(), readiness.destroy()]);
    },
  };
}

/** `: ECONNREFUSED`; empty for what has no code. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `: ${code}` : '';
}

function headersFor(context: RequestContext): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/graphql-response+json, application/json',
    'x-request-id': context.requestId,
    'x-forwarded-for': context.clientAddress,
    ...(context.authorization === undefined ? {} : { authorization: context.authorization }),
    ...(context.userAgent === undefined ? {} : { 'user-agent': context.userAgent }),
    ...(context.idempotencyKey === undefined ? {} : { 'idempotency-key': context.idempotencyKey }),
    ...(context.mayLag ? { [mayLagHeader]: '1' } : {}),
  };
}

function isResult(answer: unknown): answer is FormattedExecutionResult {
  return typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer);
}

const isMutation = ({ query }: SubgraphRequest): boolean => query.startsWith('mutation');

function isClosedConnection(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'UND_ERR_SOCKET' || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
