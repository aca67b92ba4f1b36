import {
  raw,
  Router,
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { GraphQLError, OperationTypeNode, type ExecutionResult } from 'graphql';
import { createHandler, type Request as HttpRequest, type Response as Answer } from 'graphql-http';

import { callerOf, isStranger } from '#platform/caller.js';
import { longestBody, longestBodyOfStrangers } from '#platform/client-data.js';
import { isOutcomeUnknown, type ErrorCode } from '#platform/errors.js';
import { tooManyParts } from '#platform/json-shape.js';
import type { Logger } from '#platform/logger.js';
import type { RequestContext } from '#platform/request-context.js';
import type { EventStream } from '#platform/subgraph/map-events.js';

import { acceptedBy, mediaTypeOf, type Accepted } from './accept.js';
import type { Documents } from './documents.js';
import { sendAsStream, type EventStreams } from './event-stream.js';
import { subscriptionsNeedMore, type Execute } from './execute.js';
import { refusePersistedQuery } from './persisted-query.js';
import { requestContextOf } from './request-context.js';
import type { Subscribe } from './subscribe.js';

export interface HttpOptions {
  documents: Documents;
  execute: Execute;
  subscribe: Subscribe;
  streams: EventStreams;
  logger: Logger;
}

type GraphQLRequest = HttpRequest<Request, GraphQLCall>;

/** One request, and what it turns out to want. */
interface GraphQLCall {
  context: RequestContext;
  accepts: Accepted;
  events?: EventStream<ExecutionResult>;
}

/** POST and GET /graphql by the GraphQL-over-HTTP specification. Needs `requestContextMiddleware` before it. */
export function createHttpRouter({ documents, execute, subscribe, streams, logger }: HttpOptions): Router {
  const handle = createHandler<Request, GraphQLCall>({
    parseRequestParams: refusePersistedQuery,
    onSubscribe: async (request, { query, operationName, variables, extensions }) => {
      const call = request.context;
      const { operation, errors } = documents.prepare(
        { query, caller: callerOf(call.context) },
        operationName,
      );
      if (errors) return errors;
      const kind = operation.context.operation.operation;
      if (kind === OperationTypeNode.SUBSCRIPTION) {
        if (call.accepts === 'json') return refusal(400, subscriptionsNeedMore());
        const after = resumedAfter(request.raw, extensions);
        const context = { ...call.context, ...(after === undefined ? {} : { after }) };
        const events = await subscribe({ query, operationName, variables, context });
        if (!(Symbol.asyncIterator in events)) return answer(events, request);
        call.events = events;
        return [null, { status: 200, statusText: 'OK' }];
      }
      if (kind === OperationTypeNode.MUTATION && request.method === 'GET') {
        const [body, init] = refusal(405, coded('BAD_REQUEST', 'Mutations are sent by POST'));
        return [body, { ...init, headers: { ...init.headers, allow: 'POST' } }];
      }
      return answer(await execute({ query, operationName, variables, context: call.context }), request);
    },
    formatError: (error) => (error instanceof GraphQLError ? error : coded('BAD_REQUEST', error.message)),
  });

  const router = Router();
  router.all('/graphql', readBody, async (request, response) => {
    const context = requestContextOf(response);
    try {
      const { method, url } = request;
      const call: GraphQLCall = { context, accepts: acceptedBy(request) };
      // To the handler a stream is another way to send what it answers in JSON.
      const headers =
        call.accepts === 'stream' ? { ...request.headers, accept: 'application/json' } : request.headers;
      const body = request.body as string | Record<string, unknown> | null;
      const answered = await handle({ method, url, headers, body, raw: request, context: call });
      if (call.events) await streams.serve(response, context, call.events);
      else if (call.accepts === 'stream') sendEvents(response, answered);
      else send(response, answered);
    } catch (error) {
      logger.error({ err: error, requestId: context.requestId }, 'A GraphQL request failed unexpectedly');
      if (response.headersSent) response.destroy();
      else send(response, refusal(500, coded('INTERNAL', 'Internal error')));
    }
  });
  router.use('/graphql', refuseBody);
  return router;
}

const readLong = raw({ type: 'application/json', limit: longestBody });
const readShort = raw({ type: 'application/json', limit: longestBodyOfStrangers });

/** Whoever is not signed in has nothing to say that is long, and nobody what has parts without end. */
const readBody: RequestHandler = (request, response, next) => {
  const read = isStranger(requestContextOf(response)) ? readShort : readLong;
  read(request, response, (error?: unknown) => {
    const body: unknown = request.body;
    if (error !== undefined || !Buffer.isBuffer(body)) return next(error);
    const isReport = callerOf(requestContextOf(response))?.isNode === true;
    const tooMany = tooManyParts(body, 'The request body', { isReport });
    if (tooMany) return send(response, refusal(400, coded('BAD_REQUEST', tooMany)));
    request.body = body.toString();
    next();
  });
};

/** What a request that resumes a subscription goes on after: browsers and their like send the last event's id. */
function resumedAfter(request: Request, extensions: GraphQLExtensions): string | undefined {
  const after = request.headers['last-event-id'] ?? extensions?.['after'];
  return typeof after === 'string' && after !== '' ? after : undefined;
}

type GraphQLExtensions = Record<string, unknown> | null | undefined;

/** Serialised here rather than by graphql-http, whose replacer makes large answers several times slower. */
function answer(result: ExecutionResult, request: GraphQLRequest): Answer {
  const mediaType = mediaTypeOf(request.headers as Request['headers']);
  const isRefused = result.data === undefined && mediaType !== 'application/json';
  const later = comeBackLater(result);
  const headers = { 'content-type': `${mediaType}; charset=utf-8` };
  if (later) {
    // Proxies and clients know these three whatever the media type; the body is still GraphQL's.
    const { status, statusText, retryAfter } = later;
    const again: Record<string, string> =
      retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
    return [JSON.stringify(result), { status, statusText, headers: { ...headers, ...again } }];
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
  // Of several one is enough. As haproxy says it when a panel was lost at work: 503 is for what was not done.
  if (errors.some((error) => isOutcomeUnknown(error.extensions)))
    return { status: 502, statusText: 'Bad Gateway', retryAfter: undefined };
  const retryAfter = Number(extensions['retryAfterSeconds'] ?? 1);
  return extensions['code'] === 'RATE_LIMITED'
    ? { status: 429, statusText: 'Too Many Requests', retryAfter }
    : { status: 503, statusText: 'Service Unavailable', retryAfter };
}

/** HTTP's own refusals stay what they are, and so does one that is worth a later try. */
function sendEvents(response: Response, answered: Answer): void {
  const [body, { status }] = answered;
  if (body !== null && (status === 200 || status === 400)) sendAsStream(response, body);
  else send(response, answered);
}

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
  send(response, refusal(status, coded('BAD_REQUEST', unreadable(status, requestContextOf(response)))));
};

function unreadable(status: number, context: RequestContext): string {
  if (status !== 413) return 'The request body can not be read';
  return isStranger(context)
    ? `Without a valid token a request body has at most ${longestBodyOfStrangers / 1024} KiB`
    : `The request body is larger than ${longestBody / 1024 / 1024} MiB`;
}
