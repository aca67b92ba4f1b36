import { createHash } from 'node:crypto';

import type { RequestHandler, Response } from 'express';
import type { GraphQLSchema } from 'graphql';

import { assetPath } from '#platform/package-root.js';

import { Refusal } from '../errors.js';
import { sendEmpty, sendRefusal } from '../respond.js';
import { routes } from '../routes.js';
import { describeApi } from './document.js';

const path = '/api/openapi.json';

interface Description {
  text: string;
  tag: string;
}

/** Answers /api/openapi.json, for anyone, and leaves all else to whoever comes next. */
export function createDescriptionRouter(options: { schema: GraphQLSchema; version: string }): RequestHandler {
  let made: Description | undefined;
  return (request, response, next) => {
    if (request.path !== path) return next();
    response.setHeader('Cache-Control', 'no-store');
    if (request.method === 'OPTIONS' || !['GET', 'HEAD'].includes(request.method))
      return answerOthers(request.method, response);
    made ??= describe(options);
    send(made, request.headers['if-none-match'], response);
  };
}

function describe(options: { schema: GraphQLSchema; version: string }): Description {
  const folder = assetPath('rest-compat', 'operations');
  const text = JSON.stringify(describeApi({ ...options, routes, folder }));
  return { text, tag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
}

function send({ text, tag }: Description, known: string | undefined, response: Response): void {
  // It is another one with each version of the panel.
  response.setHeader('Cache-Control', 'public, max-age=300');
  response.setHeader('ETag', tag);
  if (known?.includes(tag)) return sendEmpty(response, 304);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

function answerOthers(method: string, response: Response): void {
  const headers = { Allow: 'GET, HEAD, OPTIONS' };
  if (method !== 'OPTIONS') return sendRefusal(response, new Refusal(405, 'Method not allowed', { headers }));
  response.setHeader('Allow', headers.Allow);
  sendEmpty(response, 204);
}
