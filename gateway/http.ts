import { Router, text, type ErrorRequestHandler, type Request, type Response } from 'express';
import { GraphQLError, OperationTypeNode, type ExecutionResult } from 'graphql';
import { createHandler, type Request as HttpRequest, type Response as Answer } from 'graphql-http';

import type { ErrorCode } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';

import type { Documents } from './documents.js';
import { subscriptionsNeedWebSocket, type Execute } from './execute.js';
import { requestContextOf } from './request-context.js';

export interface HttpOptions {
  documents: Documents;
  execute: Execute;
  logger: Logger;
}

type GraphQLRequest = HttpRequest<Request, RequestContext>;

const bodyLimit = '1mb';

/** POST and GET /graphql by the GraphQL-over-HTTP specification. Needs `requestContextMiddleware` before it. */
export function createHttpRouter({ documents, execute, logger }: HttpOptions): Router {
  const handle = createHandler<Request, RequestContext>({
    onSubscribe: async (request, { query, operationName, variables }) => {
      const { operation, errors } = documents.prepare({ query }, operationName);
      if (errors) return errors;
      const kind = operation.context.operation.operation;
      if (kind === OperationTypeNode.SUBSCRIPTION) return refusal(400, subscriptionsNeedWebSocket());
      if (kind === OperationTypeNode.MUTATION && request.method === 'GET') {
        const [body, init] = refusal(405, coded('BAD_REQUEST', 'Mutations are sent by POST'));
        return [body, { ...init, headers: { ...init.headers, allow: 'POST' } }];
      }
      const { document } = operation;
      return answer(await execute({ document, operationName, variables, context: request.context }), request);
    },
    formatError: (error) => (error instanceof GraphQLError ? error : coded('BAD_REQUEST', error.message)),
  });

  const router = Router();
  router.all('/graphql', text({ type: 'application/json', limit: bodyLimit }), async (request, response) => {
    const context = requestContextOf(response);
    try {
      const { method, url, headers } = request;
      const body = request.body as string | Record<string, unknown> | null;
      send(response, await handle({ method, url, headers, body, raw: request, context }));
    } catch (error) {
      logger.error({ err: error, requestId: context.requestId }, 'A GraphQL request failed unexpectedly');
      send(response, refusal(500, coded('INTERNAL', 'Internal error')));
    }
  });
  router.use('/graphql', refuseBody);
  return router;
}

/** Serialised here rather than by graphql-http, whose replacer makes large answers several times slower. */
function answer(result: ExecutionResult, request: GraphQLRequest): Answer {
  const mediaType = mediaTypeFor(request);
  const isRefused = result.data === undefined && mediaType !== 'application/json';
  const later = comeBackLater(result);
  const headers = { 'content-type': `${mediaType}; charset=utf-8` };
  if (later) {
    // Proxies and clients know these two whatever the media type; the body is still GraphQL's.
    const { status, statusText, retryAfter } = later;
    return [
      JSON.stringify(result),
      { status, statusText, headers: { ...headers, 'retry-after': String(retryAfter) } },
    ];
  }
  return [
    JSON.stringify(result),
    { status: isRefused ? 400 : 200, statusText: isRefused ? 'Bad Request' : 'OK', headers },
  ];
}

/** When the operation was not admitted, or nothing at all of its answer could be had for now. */
function comeBackLater({ data, errors = [] }: ExecutionResult) {
  const isEmpty = data == null || Object.values(data).every((value) => value === null);
  const { extensions } =
    errors.find(({ extensions: { code } }) =>
      code === 'RATE_LIMITED' ? data === undefined : code === 'UNAVAILABLE' && isEmpty,
    ) ?? {};
  if (!extensions) return undefined;
  const retryAfter = Number(extensions['retryAfterSeconds'] ?? 1);
  return extensions['code'] === 'RATE_LIMITED'
    ? { status: 429, statusText: 'Too Many Requests', retryAfter }
    : { status: 503, statusText: 'Service Unavailable', retryAfter };
}

/** The handler has refused what accepts neither; the first that fits wins, as it decides for its own answers. */
function mediaTypeFor({ headers }: GraphQLRequest): string {
  const accept = String((headers as Request['headers']).accept ?? '*/*').toLowerCase();
  const first = accept
    .split(',')
    .map((range) => range.split(';')[0]?.trim())
    .find((type) => type === 'application/graphql-response+json' || (type && jsonRanges.has(type)));
  return first === 'application/graphql-response+json' ? first : 'application/json';
}

const jsonRanges: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);

function refusal(
  status: number,
  error: GraphQLError,
): [string, { status: number; statusText: string; headers: Record<string, string> }] {
  return [
    JSON.stringify({ errors: [error] }),
    { status, statusText: '', headers: { 'content-type': 'application/json; charset=utf-8' } },
  ];
}

function coded(code: ErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

function send(response: Response, [body, { status, headers }]: Answer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  response.setHeader('cache-control', 'no-store');
  response.end(body ?? '');
}

/** Bodies that could not be read at all: too long, cut short, in an unknown encoding. */
const refuseBody: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  if (status < 400 || status >= 500 || response.headersSent) {
    next(error);
    return;
  }
  const message =
    status === 413 ? `The request body is larger than ${bodyLimit}` : 'The request body can not be read';
  send(response, refusal(status, coded('BAD_REQUEST', message)));
};
