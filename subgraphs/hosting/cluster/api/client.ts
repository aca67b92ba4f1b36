import type { Dispatcher } from 'undici';

import { tooManyParts } from '#platform/json-shape.js';
import { aborted } from '#platform/outbound/aborted.js';
import { readBody } from '#platform/outbound/body.js';
import { inTurns } from '#platform/slices.js';

import { errorOf, KubeError, unreachable } from './kube-error.js';

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: object;
  contentType?: string;
  /** For all of it; 15 s unless told. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** One line of a watch. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: unknown;
}

const timeoutMs = 15_000;
/** Of an answer, and of a line of a watch. Lists come in pages, smaller ones where objects are so large. */
const mostBytes = 4 * 1024 * 1024;
/**
 * Whoever registers a cluster chooses who answers, and what is parsed is parsed at once: as many values take 40 ms at the
 * most. An object has some hundred.
 */
const mostParts = { isReport: true, most: { values: 60_000, names: 60_000 } } as const;

/**
 * Calls to one cluster's API. Objects are plain JSON, with every field that the cluster knows. Whatever goes wrong is a
 * KubeError, and nothing is repeated.
 */
export class KubeClient {
  constructor(
    readonly server: string,
    private readonly dispatcher: Dispatcher,
    private readonly token: string | undefined,
  ) {}

  async get<Answer>(path: string, call: Call = {}): Promise<Answer> {
    const body = await this.body(path, call);
    const tooMany = tooManyParts(body, 'Its answer', mostParts);
    if (tooMany !== undefined) throw new KubeError('TOO_LARGE', tooMany);
    const parsed = parsedOf(body);
    if (typeof parsed !== 'object' || parsed === null)
      throw new KubeError('FAILED', 'It answered with something else than JSON of an object');
    return parsed as Answer;
  }

  /** The body as it came, of an answer that is a success. */
  async body(path: string, call: Call = {}): Promise<Buffer> {
    const late = AbortSignal.timeout(call.timeoutMs ?? timeoutMs);
    const signal = call.signal ? AbortSignal.any([late, call.signal]) : late;
    const answer = await this.send(path, call, signal);
    try {
      const encoding = String(answer.headers['content-encoding'] ?? '');
      const body = await readBody(answer.body, encoding, mostBytes);
      if (answer.statusCode < 300) return body;
      throw errorOf(answer.statusCode, body.toString('utf8'), answer.headers['retry-after']?.toString());
    } catch (error) {
      throw unreachable(error);
    }
  }

  /**
   * Events of a watch as they come; it is over when the cluster says so. Throws EXPIRED where the version that it was to
   * go on from is kept no more, which comes as an event of its own. Tells when the cluster has taken it up, before which
   * minutes may pass without an event.
   */
  async *watch(
    path: string,
    query: Query,
    signal: AbortSignal,
    onAnswered: () => void,
  ): AsyncGenerator<WatchEvent, void> {
    const ending = new AbortController();
    const late = () => ending.abort(new DOMException('the watch came to nothing', 'TimeoutError'));
    let timer = setTimeout(late, timeoutMs);
    const both = AbortSignal.any([signal, ending.signal]);
    const answer = await this.send(path, { query: { ...query, watch: true } }, both).finally(() =>
      clearTimeout(timer),
    );
    // A connection that died without a word would be listened to for ever.
    timer = setTimeout(late, (Number(query['timeoutSeconds'] ?? 300) + 30) * 1000);
    try {
      if (answer.statusCode >= 300) {
        const text = (await readBody(answer.body, '', mostBytes)).toString('utf8');
        throw errorOf(answer.statusCode, text, answer.headers['retry-after']?.toString());
      }
      onAnswered();
      // Lines that are there already would follow each other without a pause.
      for await (const line of inTurns(linesOf(answer.body))) {
        const { type, object } = eventOf(line);
        if (type === 'ERROR') throw errorOf(codeOf(object), JSON.stringify(object), undefined);
        yield { type, object } as WatchEvent;
      }
    } catch (error) {
      throw signal.aborted ? error : unreachable(error);
    } finally {
      clearTimeout(timer);
      answer.body.on('error', () => undefined).destroy();
    }
  }

  private async send(path: string, call: Call, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const url = new URL(this.server);
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) query.set(name, String(value));
    const search = query.size === 0 ? '' : `?${query.toString()}`;
    try {
      signal.throwIfAborted();
      const answer = this.dispatcher.request({
        origin: url.origin,
        path: `${url.pathname.replace(/\/$/, '')}${path}${search}`,
        method: call.method ?? 'GET',
        headers: {
          accept: 'application/json',
          'user-agent': 'quazzar-control-panel',
          ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
          ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal,
      });
      answer.catch(() => undefined);
      // undici notices the signal only once it is connected.
      return await Promise.race([answer, aborted(signal)]);
    } catch (error) {
      throw unreachable(error);
    }
  }
}

/** Undefined of what is no JSON: of a proxy in between, or an answer that was cut. */
function parsedOf(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
}

function eventOf(line: Buffer): { type?: unknown; object?: unknown } {
  if (tooManyParts(line, 'It', mostParts) !== undefined) throw largeObject();
  const event = parsedOf(line);
  if (typeof event === 'object' && event !== null) return event;
  throw new KubeError('FAILED', 'Its watch told something else than events');
}

function codeOf(status: unknown): number {
  const { code } = (status ?? {}) as { code?: unknown };
  return typeof code === 'number' ? code : 500;
}

const largeObject = () => new KubeError('FAILED', 'An object of a watch is too large');

const newline = 0x0a;
/** However little comes at a time. */
const mostPieces = 1_000;

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const line = Buffer.concat([...pieces, chunk.subarray(from, end)]);
      pieces = [];
      length = 0;
      from = end + 1;
      if (line.length > 0) yield line;
    }
    const rest = chunk.subarray(from);
    length += rest.length;
    if (length > mostBytes) throw largeObject();
    pieces.push(rest);
    if (pieces.length > mostPieces) pieces = [Buffer.concat(pieces)];
  }
}
