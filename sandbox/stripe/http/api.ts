import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '#platform/logger.js';

import { StripeError } from '../errors.js';
import { randomText } from '../store/ids.js';
import { apiVersion, type World } from '../world.js';
import { readBody } from './body.js';
import { expanded } from './expand.js';
import type { Fault, Faults } from './faults.js';
import { checkedParameters, parseForm } from './form.js';
import type { Answer, IdempotencyKeys } from './idempotency.js';
import { routeOf } from './routes.js';

export interface ApiParts {
  world: World;
  keys: IdempotencyKeys;
  faults: Faults;
  logger: Logger;
  /** Lets what time has brought happen before a request looks. */
  settle: () => void;
  /** Resolves when what was committed is kept for a restart. */
  saved: () => Promise<void>;
}

interface Call {
  method: string;
  path: string;
  form: string;
  key: string | undefined;
  requestId: string;
}

/** Answers everything under /v1. */
export async function serveApi(
  parts: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = `req_${randomText(14)}`;
  const url = new URL(request.url ?? '/', 'http://localhost');
  const body = await readBody(request);
  const method = request.method ?? 'GET';
  const call: Call = {
    method,
    path: url.pathname,
    form: method === 'GET' ? url.search.slice(1) : body || url.search.slice(1),
    key: method === 'POST' ? oneOf(request.headers['idempotency-key']) : undefined,
    requestId,
  };
  const refusal = refusalOf(request);
  if (refusal) {
    send(response, errorAnswer(refusal, requestId), call);
    return;
  }
  const fault = parts.faults.take(method, url.pathname);
  if (fault && (await spoilBefore(fault, call, response))) return;
  const { answer, isReplayed } = await answerOf(parts, call, fault);
  parts.logger.debug(
    { method, path: call.path, status: answer.status, requestId, fault: fault?.kind },
    'a call of the API',
  );
  // The same key would be told the same.
  if (answer.status >= 500) response.setHeader('Stripe-Should-Retry', 'false');
  if (fault?.kind === 'drop_after_commit') response.destroy();
  else if (fault?.kind === 'cut_body') cut(response, answer);
  else send(response, answer, call, isReplayed);
}

async function answerOf(
  parts: ApiParts,
  call: Call,
  fault: Fault | undefined,
): Promise<{ answer: Answer; isReplayed?: boolean }> {
  const { keys, world } = parts;
  const { key } = call;
  try {
    const earlier =
      key === undefined
        ? undefined
        : keys.begin(key, `${call.method} ${call.path}\n${call.form}`, world.machineNow());
    if (earlier) return { answer: earlier, isReplayed: true };
  } catch (error) {
    if (error instanceof StripeError) return { answer: errorAnswer(error, call.requestId) };
    throw error;
  }
  if (fault?.kind === 'delay_before') await sleep(fault.delayMs);
  const { answer, isKept } =
    fault?.kind === 'error'
      ? { answer: errorAnswer(wantedError(fault.status), call.requestId), isKept: true }
      : run(parts, call);
  if (key !== undefined && isKept) keys.keep(key, answer);
  await parts.saved();
  if (fault?.kind === 'delay') await sleep(fault.delayMs);
  if (key !== undefined) {
    if (isKept) keys.end(key);
    else keys.release(key);
  }
  return { answer };
}

function run({ world, settle, logger }: ApiParts, call: Call): { answer: Answer; isKept: boolean } {
  const { requestId } = call;
  try {
    settle();
    const route = routeOf(call.method, call.path);
    if (!route)
      throw new StripeError(
        404,
        'invalid_request_error',
        `Unrecognized request URL (${call.method}: ${call.path}). This stand-in serves only what the panel calls.`,
        {},
        true,
      );
    const parameters = checkedParameters(route.operation.parameters, parseForm(call.form));
    world.requester = { id: requestId, idempotency_key: call.key ?? null };
    const { expand = [], ...others } = parameters as { expand?: string[] };
    const body = world.transact(() =>
      expanded(world, route.operation.run(world, others as never, route.path), expand),
    );
    return { answer: { status: 200, body: JSON.stringify(body, null, 2), requestId }, isKept: true };
  } catch (error) {
    if (error instanceof StripeError)
      return { answer: errorAnswer(error, requestId), isKept: !error.isBeforeWork };
    logger.error({ err: error, method: call.method, path: call.path }, 'a call of the API failed');
    const unexpected = new StripeError(500, 'api_error', 'An unknown error occurred');
    return { answer: errorAnswer(unexpected, requestId), isKept: true };
  } finally {
    world.requester = { id: null, idempotency_key: null };
  }
}

function refusalOf({ headers }: IncomingMessage): StripeError | undefined {
  const key = keyOf(headers.authorization);
  if (key === undefined)
    return new StripeError(
      401,
      'invalid_request_error',
      `You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').`,
    );
  if (!/^[rs]k_test_./.test(key))
    return new StripeError(
      401,
      'invalid_request_error',
      `Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(Math.max(0, key.length - 8))}`,
    );
  const version = headers['stripe-version'];
  if (version !== undefined && version !== apiVersion)
    return new StripeError(
      400,
      'invalid_request_error',
      `Invalid Stripe API version: ${String(version)}. This stand-in speaks ${apiVersion}.`,
    );
  return undefined;
}

function keyOf(header: string | undefined): string | undefined {
  const [scheme, value] = header?.split(' ') ?? [];
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  return Buffer.from(value ?? '', 'base64')
    .toString()
    .split(':')[0];
}

function errorAnswer(error: StripeError, requestId: string): Answer {
  return { status: error.status, body: JSON.stringify(error.body(requestId), null, 2), requestId };
}

/** Does what a fault does before the request is looked at; true when there is nothing more to do. */
async function spoilBefore(fault: Fault, call: Call, response: ServerResponse): Promise<boolean> {
  if (fault.kind === 'drop_before') response.destroy();
  else if (fault.kind === 'error' && !fault.isKept) {
    await sleep(fault.delayMs);
    if (fault.retryAfter !== undefined) response.setHeader('Retry-After', fault.retryAfter);
    if (fault.shouldRetry !== undefined) response.setHeader('Stripe-Should-Retry', String(fault.shouldRetry));
    if (fault.isHtml) {
      response.writeHead(fault.status, { 'content-type': 'text/html' });
      response.end(`<html><h1>${fault.status}</h1></html>`);
    } else send(response, errorAnswer(wantedError(fault.status), call.requestId), call);
  } else return false;
  return true;
}

function wantedError(status: number): StripeError {
  if (status === 429)
    return new StripeError(
      429,
      'invalid_request_error',
      'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
      { code: 'rate_limit' },
    );
  if (status === 409)
    return new StripeError(
      409,
      'invalid_request_error',
      'This object cannot be accessed right now because another API request or Stripe process is currently accessing it.',
      { code: 'lock_timeout' },
    );
  const type = status >= 500 ? 'api_error' : 'invalid_request_error';
  return new StripeError(status, type, 'Sorry! There was an error while talking to Stripe.');
}

function send(response: ServerResponse, answer: Answer, { key, requestId }: Call, isReplayed = false): void {
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'request-id': requestId,
    'stripe-version': apiVersion,
    ...(key !== undefined && { 'idempotency-key': key, 'original-request': answer.requestId }),
    ...(isReplayed && { 'idempotent-replayed': 'true' }),
  });
  response.end(answer.body);
}

function cut(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.write(body.slice(0, Math.floor(body.length / 2)), () => response.destroy());
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
