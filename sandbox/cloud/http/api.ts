import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Dialect } from '../dialect.js';
import { CloudError } from '../error.js';
import type { World } from '../world.js';
import type { Fault, Faults } from './faults.js';
import type { Router } from './router.js';

/** One request and what came of it, for whoever looks on. */
export interface Exchange {
  method: string;
  /** Without what all paths begin with. */
  path: string;
  query: URLSearchParams;
  sent: unknown;
  status: number;
  answered: unknown;
}

export interface ApiParts {
  dialect: Dialect;
  router: Router;
  world: World;
  faults: Faults;
  /** How often each route was called, and how often it was refused for its rate. */
  counts: Map<string, number>;
  /** Resolves when what was done is kept. */
  saved: () => Promise<void>;
  observe: ((exchange: Exchange) => void) | undefined;
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Serves one call: who asks, whether the budget has one left, what goes wrong, and what is answered. */
export async function serveApi(
  parts: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { dialect, world, observe } = parts;
  const { method = 'GET' } = request;
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
  const path = url.pathname.startsWith(`${dialect.prefix}/`)
    ? url.pathname.slice(dialect.prefix.length)
    : url.pathname;
  const text = await readBody(request);
  world.settle();
  const send = (status: number, body?: object) => {
    if (body === undefined) response.writeHead(status).end();
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    observe?.({ method, path, query: url.searchParams, sent: sentOf(text), status, answered: body });
  };
  try {
    const answer = await answerTo(parts, request, response, { method, path, url, text });
    if (answer) send(answer.status, answer.body);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    send(error.status, error.body);
  }
}

/** Undefined where something else than an answer came. */
async function answerTo(
  { dialect, router, world, faults, counts, saved }: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
  { method, path, url, text }: { method: string; path: string; url: URL; text: string },
): Promise<{ status: number; body?: object } | undefined> {
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  count('all');
  const token = tokenOf(world, dialect, request);
  const { headers, refusal } = dialect.draw(world, token);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (refusal) {
    count('refused');
    throw refusal;
  }
  if (token.access === 'read-only' && method !== 'GET') throw dialect.refusals.readOnly();
  const found = router.find(method, path);
  if (found === 'no path') throw dialect.refusals.notFound();
  if (found === 'no method') throw dialect.refusals.methodNotAllowed();
  const { operation, ids, name } = found;
  count(name);
  const body = parseJson(dialect, text);
  const { scopes } = token;
  const needed = scopes === undefined ? [] : (dialect.scopesOf?.(name, body) ?? []);
  if (!needed.every((scope) => scopes?.includes(scope))) throw dialect.refusals.readOnly();
  const fault = faults.take(method, url.pathname, text);
  if (fault && !(await befall(fault, dialect, world, response, method))) return undefined;
  const answer = operation({ world, project: token.project, token, ids, url, query: url.searchParams, body });
  await saved();
  if (fault?.kind === 'drop_after_commit') {
    response.destroy();
    return undefined;
  }
  if (fault?.kind === 'delay') await sleep(fault.delayMs);
  const { status, ...rest } = answer as { status?: unknown };
  const code = typeof status === 'number' ? status : 200;
  return code === 204 ? { status: code } : { status: code, body: rest };
}

/** What goes wrong before anything is done. Answers whether it is done nevertheless. */
async function befall(
  fault: Fault,
  dialect: Dialect,
  world: World,
  response: ServerResponse,
  method: string,
): Promise<boolean> {
  switch (fault.kind) {
    case 'error':
      throw dialect.refusals.planned(fault.code, fault.message);
    case 'html':
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', fault.retryAfter);
      response.writeHead(fault.status, { 'content-type': 'text/html' }).end(`<h1>${fault.status}</h1>`);
      return false;
    case 'drop_before':
      response.destroy();
      return false;
    case 'no_answer':
      await once(response, 'close');
      return false;
    case 'delay_before':
      await sleep(fault.delayMs);
      world.settle();
      return true;
    case 'action_error': {
      const command = method === 'DELETE' ? 'delete_server' : 'create_server';
      world.actionFaults.push({ command, code: fault.code, message: fault.message });
      return true;
    }
    case 'delay':
    case 'drop_after_commit':
      return true;
  }
}

function tokenOf(world: World, dialect: Dialect, request: IncomingMessage) {
  const [, secret = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const { tokens } = world.contents;
  const token = Object.hasOwn(tokens, secret) ? tokens[secret] : undefined;
  if (!token) throw dialect.refusals.unauthorized();
  return { ...token, secret };
}

function parseJson(dialect: Dialect, text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw dialect.refusals.badJson();
  }
}

function sentOf(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}
