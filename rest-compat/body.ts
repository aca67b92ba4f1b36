import express, { type Request, type Response } from 'express';

import { isStranger } from '#platform/caller.js';
import { describeFault, findDataFault, longestBody, longestBodyOfStrangers } from '#platform/client-data.js';
import { tooManyParts } from '#platform/json-shape.js';
import { faultOfMended } from '#platform/mended-text.js';
import type { RequestContext } from '#platform/request-context.js';

import { Refusal } from './errors.js';
import { isObject } from './text.js';

/** A body as it was sent. One that is absent or empty counts as `{}`. */
export type SentBody = { json: Record<string, unknown> } | { form: URLSearchParams };

const readLong = express.raw({ type: () => true, limit: longestBody });
const readShort = express.raw({ type: () => true, limit: longestBodyOfStrangers });
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the body of a request: at most 1 MiB (after decompression; 64 KiB of whoever is not signed in), JSON, or also a form where the row accepts one. In
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
  const tooMany = tooManyParts(bytes, 'The body', { isReport });
  if (tooMany) throw Refusal.of('BAD_REQUEST', tooMany);
  const json = parse(decode(bytes));
  if (!isObject(json)) throw Refusal.of('BAD_REQUEST', 'The body must be a JSON object');
  // Nobody after this point checks how deep JSON scalars go or whether they can be stored.
  const fault = isReport ? faultOfMended(json) : findDataFault(json);
  if (fault) throw Refusal.of('BAD_REQUEST', describeFault(fault, 'the body'));
  return { json };
}

async function rawBody(request: Request, response: Response): Promise<Buffer> {
  const longest = isStranger(response.locals.requestContext as RequestContext)
    ? longestBodyOfStrangers
    : longestBody;
  if (isPlain(request, longest)) return plainBody(request, longest);
  const read = longest === longestBody ? readLong : readShort;
  await new Promise<void>((resolve, reject) => {
    read(request, response, (error?: unknown) =>
      error === undefined ? resolve() : reject(unreadable(error, longest)),
    );
  });
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** Whether a body comes as it is, and is known not to be too long: most are such, and cost little to read. */
function isPlain({ headers, readableEnded }: Request, longest: number): boolean {
  const length = headers['content-length'];
  const isWhole = length !== undefined && headers['transfer-encoding'] === undefined;
  return isWhole && headers['content-encoding'] === undefined && Number(length) <= longest && !readableEnded;
}

async function plainBody(request: Request, longest: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const fail = () => reject(unreadable(new Error('The body was cut short'), longest));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', resolve);
    request.once('error', fail);
    // Every request is closed, mostly long after it was read; making an error takes as long as reading a body.
    request.once('close', () => void (request.readableEnded || fail()));
  });
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function unreadable(error: unknown, longest: number): Refusal {
  const status = isObject(error) ? error.status : undefined;
  if (status === 413) {
    const most = longest === longestBody ? '1 MiB' : '64 KiB, the most without a valid token';
    return new Refusal(413, `The body is larger than ${most}`, { cause: error });
  }
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
