import { createHash } from 'node:crypto';

import { parse } from 'graphql';
import { LRUCache } from 'lru-cache';

import type { Clock } from '../clock.js';
import { ApiError } from '../errors.js';
import type { RequestContext } from '../request-context.js';
import type { RunOperation } from './service-client.js';

/** How API keys begin; `qzr_` belongs to Cloud OS. */
export const apiKeyPrefix = 'qcp_';
/** What the exchange itself is allowed by; only the gateway's own token carries it. */
export const exchangePermission = 'identity.api-key.exchange';

const keyHeader = /^Bearer +(qcp_[\w-]{43})$/i;
// Well below the life of the token that a key was exchanged for.
const keptMs = 20_000;
// One request asks more than once, and whoever has a bad key asks again and again: it counts as one guess for so long.
const refusedMs = 10_000;
// Not `max`, for which room is made at once.
const unreserved = { sizeCalculation: () => 1 };

const document = parse(
  'mutation ExchangeApiKey($input: ExchangeApiKeyInput!) { exchangeApiKey(input: $input) { token } }',
  { noLocation: true },
);

// Stands for a refused key: it is refused as any other token that is none, and the key goes no further.
const refusedKey = 'Bearer refused-api-key';

/** How many unknown keys an address may try. */
export interface KeyGuesses {
  isSpent(clientAddress: string): Promise<boolean>;
  spend(clientAddress: string): Promise<void>;
}

interface Exchanged {
  authorization: string;
  until: number;
}

/**
 * Puts a token of at most a minute in the place of an API key, at the gateway, so that keys reach no subgraph but
 * identity. A key that is refused is refused as any other token, and counts as a guess of its address. Throws
 * UNAVAILABLE while identity can not say, and RATE_LIMITED to an address that has guessed too often.
 */
export class ApiKeyExchange {
  private readonly known = new LRUCache<string, Exchanged>({ ...unreserved, maxSize: 10_000 });
  private readonly refused = new LRUCache<string, number>({ ...unreserved, maxSize: 10_000 });
  private readonly underWay = new Map<string, Promise<string>>();

  constructor(
    private readonly run: RunOperation,
    private readonly gatewayToken: () => Promise<string>,
    private readonly clock: Clock,
    private readonly guesses: KeyGuesses,
  ) {}

  /** The context to go on with: the same one, unless it came with an API key. */
  readonly exchanged = <Context extends RequestContext>(context: Context): Context | Promise<Context> => {
    const key = keyHeader.exec(context.authorization?.trim() ?? '')?.[1];
    if (key === undefined) return context;
    return this.tokenFor(key, context).then((authorization) => ({ ...context, authorization }));
  };

  private async tokenFor(key: string, context: RequestContext): Promise<string> {
    const hash = createHash('sha256').update(key).digest('base64');
    const known = this.known.get(hash);
    const now = this.clock.now().getTime();
    if (known && known.until > now) return known.authorization;
    if ((this.refused.get(hash) ?? 0) > now) return refusedKey;
    const underWay = this.underWay.get(hash);
    if (underWay) return underWay;
    // A key that was good a while ago is no guess.
    if (!known && (await this.guesses.isSpent(context.clientAddress))) throw tooManyGuesses();
    const asked = this.ask(key, hash, context).finally(() => this.underWay.delete(hash));
    this.underWay.set(hash, asked);
    return asked;
  }

  private async ask(key: string, hash: string, context: RequestContext): Promise<string> {
    const { requestId, clientAddress } = context;
    const { data, errors } = await this.run({
      document,
      variables: { input: { key } },
      context: { requestId, clientAddress, authorization: `Bearer ${await this.gatewayToken()}` },
    });
    const { token } = (data?.['exchangeApiKey'] ?? {}) as { token?: string };
    if (token === undefined) {
      if (errors?.[0]?.extensions?.['code'] !== 'UNAUTHENTICATED') throw unknown();
      this.known.delete(hash);
      this.refused.set(hash, this.clock.now().getTime() + refusedMs);
      await this.guesses.spend(clientAddress);
      return refusedKey;
    }
    const authorization = `Bearer ${token}`;
    this.known.set(hash, { authorization, until: this.clock.now().getTime() + keptMs });
    return authorization;
  }
}

/** Not a refusal: who was told that a good key is bad might throw it away. */
function unknown(): ApiError {
  return new ApiError('UNAVAILABLE', 'API keys can not be checked for the moment', { retryAfterSeconds: 2 });
}

function tooManyGuesses(): ApiError {
  return new ApiError('RATE_LIMITED', 'Too many API keys were tried that are none', {
    retryAfterSeconds: 60,
  });
}
