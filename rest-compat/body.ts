import express, { type Request, type Response } from 'express';

import { mayNeedMending, mendText } from '#platform/mended-text.js';

import { Refusal } from './errors.js';
import { isObject, isStorable, join, mustBeText } from './text.js';

/** A body as it was sent. One that is absent or empty counts as `{}`. */
export type SentBody = { json: Record<string, unknown> } | { form: URLSearchParams };

const mebibyte = 1024 * 1024;
const deepest = 64;
const readRaw = express.raw({ type: () => true, limit: mebibyte });
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the body of a request: at most 1 MiB (after decompression), JSON, or also a form where the row accepts one. In
 * a report, text that cannot be stored is mended and not refused.
 */
export async function readBody(
  request: Request,
  response: Response,
  { accept, isReport = false }: { accept?: 'form' | undefined; isReport?: boolean } = {},
): Promise<SentBody> {
  const bytes = await rawBody(request, response);
  if (bytes.length === 0) return { json: {} };
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (accept === 'form' && type === 'application/x-www-form-urlencoded') {
    return { form: new URLSearchParams(decode(bytes)) };
  }
  if (type !== 'application/json') {
    const accepted =
      accept === 'form' ? 'application/json or application/x-www-form-urlencoded' : 'application/json';
    throw new Refusal(415, `Content-Type must be ${accepted}`);
  }
  const text = decode(bytes);
  const json = parse(text);
  if (!isObject(json)) throw Refusal.of('BAD_REQUEST', 'The body must be a JSON object');
  if (isReport && mayNeedMending(text)) mendText(json);
  const fault = findFault(json, 0, '');
  if (fault) throw Refusal.of('BAD_REQUEST', fault);
  return { json };
}

async function rawBody(request: Request, response: Response): Promise<Buffer> {
  await new Promise<void>((resolve, reject) => {
    readRaw(request, response, (error?: unknown) =>
      error === undefined ? resolve() : reject(unreadable(error)),
    );
  });
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function unreadable(error: unknown): Refusal {
  const status = isObject(error) ? error.status : undefined;
  if (status === 413) return new Refusal(413, 'The body is larger than 1 MiB', { cause: error });
  if (status === 415) return new Refusal(415, 'This Content-Encoding is not supported', { cause: error });
  return Refusal.of('BAD_REQUEST', 'The body could not be read', { cause: error });
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw Refusal.of('BAD_REQUEST', 'The body is not UTF-8', { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw Refusal.of('BAD_REQUEST', 'The body is not JSON', { cause });
  }
}

/** Looks through JSON scalars too: nobody after this point checks how deep they go or whether they can be stored. */
function findFault(value: unknown, depth: number, path: string): string | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : `${path} ${mustBeText}`;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === deepest) return `The body is nested deeper than ${deepest} levels`;
  for (const [key, item] of Object.entries(value)) {
    if (!isStorable(key)) return `The names in ${path || 'the body'} ${mustBeText}`;
    const fault = findFault(item, depth + 1, join(path, key));
    if (fault) return fault;
  }
  return undefined;
}
