import { createHash } from 'node:crypto';

import { parse } from 'graphql';
import { LRUCache } from 'lru-cache';

import type { Clock } from '../clock.js';
import type { RequestContext } from '../request-context.js';
import type { RunOperation } from './service-client.js';

/** How API keys begin; `qzr_` belongs to Cloud OS. */
export const apiKeyPrefix = 'qcp_';
/** What the exchange itself is allowed by; only the gateway's own token carries it. */
export const exchangePermission = 'identity.api-key.exchange';

const keyHeader = /^Bearer +(qcp_[\w-]{43})$/i;
// Well below the life of the token that a key was exchanged for.
const keptMs = 20_000;

const document = parse(
  'mutation ExchangeApiKey($input: ExchangeApiKeyInput!) { exchangeApiKey(input: $input) { token } }',
  { noLocation: true },
);

interface Exchanged {
  authorization: string;
  until: number;
}

/**
 * Puts a token of at most a minute in the place of an API key, at the gateway, so that keys reach no subgraph but
 * identity. A key that is refused stays as it is, and is refused as any other token.
 */
export class ApiKeyExchange {
  private readonly known = new LRUCache<string, Exchanged>({ max: 10_000 });
  private readonly underWay = new Map<string, Promise<string | undefined>>();

  constructor(
    private readonly run: RunOperation,
    private readonly gatewayToken: () => Promise<string>,
    private readonly clock: Clock,
  ) {}

  /** The context to go on with: the same one, unless it came with an API key. */
  readonly exchanged = async <Context extends RequestContext>(context: Context): Promise<Context> => {
    const key = keyHeader.exec(context.authorization?.trim() ?? '')?.[1];
    if (key === undefined) return context;
    const authorization = await this.tokenFor(key, context);
    return authorization === undefined ? context : { ...context, authorization };
  };

  private async tokenFor(key: string, context: RequestContext): Promise<string | undefined> {
    const hash = createHash('sha256').update(key).digest('base64');
    const known = this.known.get(hash);
    if (known && known.until > this.clock.now().getTime()) return known.authorization;
    const underWay = this.underWay.get(hash);
    if (underWay) return underWay;
    const asked = this.ask(key, hash, context).finally(() => this.underWay.delete(hash));
    this.underWay.set(hash, asked);
    return asked;
  }

  private async ask(key: string, hash: string, context: RequestContext): Promise<string | undefined> {
    const { requestId, clientAddress } = context;
    const { data } = await this.run({
      document,
      variables: { input: { key } },
      context: { requestId, clientAddress, authorization: `Bearer ${await this.gatewayToken()}` },
    });
    const { token } = (data?.['exchangeApiKey'] ?? {}) as { token?: string };
    if (token === undefined) return undefined;
    const authorization = `Bearer ${token}`;
    this.known.set(hash, { authorization, until: this.clock.now().getTime() + keptMs });
    return authorization;
  }
}
