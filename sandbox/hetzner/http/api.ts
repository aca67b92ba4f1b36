import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { HetznerError } from '../errors.js';
import type { World } from '../world.js';
import { draw } from './budget.js';
import { isErrorCode, type Faults } from './faults.js';
import { find } from './routes.js';

export interface ApiParts {
  world: World;
  faults: Faults;
  /** How often each route was called, and how often it was refused for its rate. */
  counts: Map<string, number>;
  /** Resolves when what was done is kept. */
  saved: () => Promise<void>;
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Serves one call under /v1: who asks, whether the hour's budget has one left, what goes wrong, and what is answered. */
export async function serveApi(
  { world, faults, counts, saved }: ApiParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET' } = request;
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = url.pathname.replace(/^\/v1/, '');
  const text = await readBody(request);
  world.settle();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  count('all');
  try {
    const token = tokenOf(world, request);
    const budget = draw(world, world.project(token.project));
    response.setHeader('RateLimit-Limit', budget.limit);
    response.setHeader('RateLimit-Remaining', budget.remaining);
    response.setHeader('RateLimit-Reset', budget.resetAt);
    if (budget.isSpent) {
      count('refused');
      throw new HetznerError('rate_limit_exceeded', 'limit of 3600 requests per hour reached');
    }
    if (token.access === 'read-only' && method !== 'GET')
      throw new HetznerError('token_readonly', 'token is only allowed to perform GET requests');
    const { operation, ids, name } = find(method, path);
    count(name);
    const fault = faults.take(method, url.pathname, text);
    if (fault?.kind === 'error')
      throw new HetznerError(isErrorCode(fault.code) ? fault.code : 'server_error', fault.message);
    if (fault?.kind === 'html') {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502 Bad Gateway</h1>');
      return;
    }
    if (fault?.kind === 'drop_before') {
      response.destroy();
      return;
    }
    if (fault?.kind === 'delay_before') {
      await sleep(fault.delayMs);
      world.settle();
    }
    if (fault?.kind === 'action_error')
      world.actionFaults.push({ command: commandOf(name), code: fault.code, message: fault.message });
    const answer = operation({
      world,
      project: token.project,
      ids,
      query: url.searchParams,
      body: parseJson(text),
    }) as { status?: unknown };
    await saved();
    if (fault?.kind === 'drop_after_commit') {
      response.destroy();
      return;
    }
    if (fault?.kind === 'delay') await sleep(fault.delayMs);
    const { status, ...body } = answer;
    const code = typeof status === 'number' ? status : 200;
    if (code === 204) response.writeHead(204).end();
    else send(response, code, body);
  } catch (error) {
    if (!(error instanceof HetznerError)) throw error;
    send(response, error.status, error.body());
  }
}

function commandOf(route: string): string {
  return route.startsWith('DELETE') ? 'delete_server' : 'create_server';
}

function tokenOf(world: World, request: IncomingMessage) {
  const [, secret = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const { tokens } = world.contents;
  const token = Object.hasOwn(tokens, secret) ? tokens[secret] : undefined;
  if (!token) throw new HetznerError('unauthorized', 'unable to authenticate');
  return token;
}

function parseJson(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new HetznerError('json_error', 'invalid JSON');
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
