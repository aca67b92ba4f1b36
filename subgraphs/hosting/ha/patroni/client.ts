import { Agent } from 'undici';

import { headOf } from '#platform/cut-text.js';
import { ApiError } from '#platform/errors.js';
import { readBody } from '#platform/outbound/body.js';

import {
  viewOf,
  type ClusterAnswer,
  type ConfigAnswer,
  type HistoryAnswer,
  type PatroniView,
} from './patroni.js';

const readMs = 2_000;
// Patroni answers once the other member leads; its own bound is in its configuration.
const switchMs = 60_000;
const mostBytes = 1_000_000;

/**
 * undici (8.12.4) looks at a request's signal only once it is connected, and gives a connection ten seconds unless told: too
 * long where a machine is off, which is when its cluster is asked about.
 */
const members = new Agent({ connect: { timeout: readMs } });

interface Answer {
  status: number;
  text: string;
}

/** Patroni's REST interface, at whichever of its members answers. */
export class PatroniClient {
  private readonly bases: { url: string; authorization: string | undefined }[];
  /** Who answered last, and is asked first. */
  private first = 0;

  constructor(urls: readonly string[]) {
    this.bases = urls.map((text) => {
      const url = new URL(text);
      const { username, password } = url;
      const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      url.username = url.password = '';
      return {
        url: url.href.replace(/\/$/, ''),
        authorization: username === '' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
      };
    });
  }

  /** How many members there are by PATRONI_URLS. */
  get size(): number {
    return this.bases.length;
  }

  /** Throws where no member answers. */
  async view(): Promise<PatroniView> {
    return this.anywhere(async (at) => {
      const read = async <Body>(path: string): Promise<Body> => {
        const { status, text } = await this.call(at, 'GET', path, readMs);
        // A member that is stopping answers 503 with a body that is no cluster.
        if (status !== 200) throw new Error(`${path} was answered ${status}`);
        return JSON.parse(text) as Body;
      };
      const [cluster, config, history] = await Promise.all([
        read<ClusterAnswer>('/cluster'),
        read<ConfigAnswer>('/config'),
        read<HistoryAnswer>('/history'),
      ]);
      return viewOf(cluster, config, history);
    });
  }

  /** Has the candidate lead in the place of who leads now; without one, where nobody leads, it is a failover. */
  async lead(leader: string | undefined, candidate: string): Promise<void> {
    const [path, body] =
      leader === undefined ? ['/failover', { candidate }] : ['/switchover', { leader, candidate }];
    // Only where no connection was made is another one asked: the first may be at it.
    const { status, text } = await this.anywhere(
      async (at) => this.call(at, 'POST', path, switchMs, body),
      isUnconnected,
    );
    if (status !== 200 && status !== 202) throw refusal(status, text);
  }

  private async anywhere<T>(
    ask: (at: number) => Promise<T>,
    mayAskNext: (error: unknown) => boolean = () => true,
  ): Promise<T> {
    let last: unknown;
    const { first, bases } = this;
    for (let turn = 0; turn < bases.length; turn += 1) {
      const at = (first + turn) % bases.length;
      try {
        const answer = await ask(at);
        this.first = at;
        return answer;
      } catch (error) {
        last = error;
        if (!mayAskNext(error)) break;
      }
    }
    throw new ApiError('UNAVAILABLE', 'Patroni does not answer', {
      reason: 'PATRONI_AWAY',
      retryAfterSeconds: 5,
      cause: last,
    });
  }

  private async call(
    at: number,
    method: 'GET' | 'POST',
    path: string,
    withinMs: number,
    body?: object,
  ): Promise<Answer> {
    const { url, authorization } = this.bases[at]!;
    const { origin, pathname, search } = new URL(`${url}${path}`);
    const answer = await members.request({
      origin,
      path: `${pathname}${search}`,
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      headersTimeout: withinMs,
      bodyTimeout: readMs,
      signal: AbortSignal.timeout(withinMs),
    });
    const bytes = await readBody(answer.body, '', mostBytes);
    return { status: answer.statusCode, text: bytes.toString('utf8') };
  }
}

const unconnected: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function isUnconnected(error: unknown): boolean {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  // The time of a connection that was made may be over as well. Several addresses that were tried are told as one error.
  const isConnecting = syscall === 'connect' || error instanceof AggregateError;
  return unconnected.has(code) || (code === 'ETIMEDOUT' && isConnecting);
}

/** What Patroni's refusals are here. Its words are about servers, and name no secret. */
function refusal(status: number, text: string): ApiError {
  const words = headOf(text.trim(), 300);
  if (status === 401 || status === 403)
    return new ApiError('UNAVAILABLE', 'Patroni does not take the name and password of PATRONI_URLS', {
      reason: 'PATRONI_CREDENTIALS',
    });
  if (status === 400 || status === 412 || status === 422)
    return new ApiError('CONFLICT', `Patroni refuses it: ${words}`, { reason: 'PATRONI_REFUSED' });
  // It has waited for the end of it in vain, and it may come yet.
  if (/status unknown/i.test(words))
    return new ApiError('UNAVAILABLE', 'Patroni was asked, and does not know yet how it ends', {
      reason: 'FAILOVER_UNDER_WAY',
      retryAfterSeconds: 5,
    });
  return new ApiError('UNAVAILABLE', `Patroni could not do it: ${words}`, {
    reason: 'PATRONI_FAILED',
    retryAfterSeconds: 10,
  });
}
