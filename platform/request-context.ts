/**
 * What is known of one incoming operation before any subgraph looks at it. One object per operation (per event for a
 * subscription): subgraph contexts, loaders and entity managers are kept with it and die with it.
 */
export interface RequestContext {
  /** Taken from `X-Request-Id` or made; in every log line, audit row and answer. */
  requestId: string;
  /** The raw `Authorization` header. Each subgraph verifies it itself. */
  authorization?: string;
  /** The client's address, as far as TRUST_PROXY lets it be known. */
  clientAddress: string;
  userAgent?: string;
  idempotencyKey?: string;
  /** Resumes a subscription after this cursor, which came with an earlier event in `extensions.cursor`. */
  after?: string;
  /** Whether it is a query by itself, which may be answered from a replica. */
  mayLag?: boolean;
  /** For a subscription that stands: an API key's short token then counts for as long as the key does. */
  isStanding?: boolean;
}

/** Puts a token in the place of an API key; answers the same context where there is none. */
export type ExchangeContext = <Context extends RequestContext>(
  context: Context,
) => Context | Promise<Context>;

/** By which a gateway tells subgraphs in other processes of `mayLag`. */
export const mayLagHeader = 'x-may-lag';
