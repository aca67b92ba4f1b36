import type { RequestHandler, Response } from 'express';
import { GraphQLError, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

import type { TokenVerifier } from '#platform/auth/tokens.js';
import { setCaller } from '#platform/caller.js';
import { ApiError } from '#platform/errors.js';
import type { ExchangeContext, RequestContext } from '#platform/request-context.js';
import type { Viewer } from '#platform/viewer.js';

import type { PreparedOperation } from '../documents.js';
import { requestContextOf } from '../request-context.js';
import { addressKey } from './address-key.js';
import { nodesPerPoint, pointsOfField, sensitiveFields } from './policy.js';
import type { Allowance, AllowanceKind, RateLimits } from './rate-limits.js';

/** Says why an operation with so many entries of lists may not run now, or nothing when it may. */
export type Admit = (
  operation: PreparedOperation,
  context: RequestContext,
  nodes: number,
) => Promise<GraphQLError | undefined>;

// A symbol, so that copies of the context keep it and nothing that writes the context out does.
const paidWith = Symbol('what has paid for the first root field: an HTTP response, or a socket');
// Whether what it takes is a secret that is too long to be guessed.
const isUnguessable = Symbol('is unguessable');
type Charged = RequestContext & { [paidWith]?: Response | 'socket'; [isUnguessable]?: true };

/** Draws one for a request that is yet unread; says why it may not be read, or nothing. */
export type Charge = (context: RequestContext) => Promise<GraphQLError | undefined>;

interface Cost {
  /** Root fields. */
  points: number;
  /** Those of them that take a secret from someone who is not signed in. */
  guesses: number;
}

interface Payer {
  kind: AllowanceKind;
  key: string;
}

/**
 * Draws every request, whatever its transport, on somebody's allowance: a tenant's, a node's, or an address's. HTTP
 * requests pay one when they come in, so that also refused ones carry the headers; an operation pays one more for each
 * root field after its first, more for those of `pointsOfField` and for pages in pages (`nodesPerPoint`), and sensitive
 * ones draw on their address's stricter allowance as well.
 */
export class Admission {
  private readonly costs = new WeakMap<PreparedOperation, Cost>();

  constructor(
    private readonly limits: RateLimits,
    private readonly verifier: TokenVerifier,
    private readonly exchange: ExchangeContext = async (context) => context,
  ) {}

  /** For the paths of the API: sets `X-RateLimit-*` on every answer, and answers 429 in the form of `refuse`. */
  middleware(refuse: (response: Response, error: ApiError) => void): RequestHandler {
    return async (_request, response, next) => {
      const context: Charged = requestContextOf(response);
      // By `sessions`.
      if (context[paidWith] !== undefined) return next();
      context[paidWith] = response;
      const told = await this.payer(context).catch((error: unknown) => asRefusal(error));
      // Where it can not be told who it is the address pays.
      const payer = told instanceof ApiError ? addressOf(context) : told;
      const allowance = payer && (await this.limits.draw(payer.kind, payer.key));
      if (allowance) writeHeaders(response, allowance);
      if (allowance?.isExceeded) refuse(response, exceeded(allowance));
      else if (told instanceof ApiError) refuse(response, told);
      else next();
    };
  }

  /** For a form that takes a secret: what a sensitive mutation draws from its address. Comes after `middleware`. */
  guesses(refuse: (response: Response, error: ApiError) => void): RequestHandler {
    return async (_request, response, next) => {
      const { clientAddress } = requestContextOf(response);
      const allowance = await this.limits.draw('sensitive', addressKey(clientAddress));
      writeHeaders(response, allowance);
      if (allowance.isExceeded) refuse(response, exceeded(allowance));
      else next();
    };
  }

  /** For what the cookie of a session is traded for: it draws on an allowance of its own. Comes before `middleware`. */
  sessions(refuse: (response: Response, error: ApiError) => void): RequestHandler {
    return async (_request, response, next) => {
      const context: Charged = requestContextOf(response);
      context[paidWith] = response;
      context[isUnguessable] = true;
      setCaller(context, { isSignedIn: false });
      const allowance = await this.limits.draw('session', addressKey(context.clientAddress));
      writeHeaders(response, allowance);
      if (allowance.isExceeded) refuse(response, exceeded(allowance));
      else next();
    };
  }

  /** For webhooks, which come in bursts: an address pays for those that are refused, and for no other. */
  webhooks(refuse: (response: Response, error: ApiError) => void): RequestHandler {
    return async (_request, response, next) => {
      const key = addressKey(requestContextOf(response).clientAddress);
      const allowance = await this.limits.draw('webhook', key, 0);
      if (allowance.remaining === 0) return refuse(response, exceeded(allowance));
      response.once('finish', () => {
        const { statusCode } = response;
        // What has come to nothing is forgotten.
        if (statusCode >= 400 && statusCode < 500) this.limits.draw('webhook', key).catch(() => undefined);
      });
      next();
    };
  }

  /** For one message on a WebSocket, before anything of it is read: also what turns out to be invalid is paid for. */
  charge: Charge = async (context) => {
    (context as Charged)[paidWith] = 'socket';
    try {
      const payer = await this.payer(context);
      const allowance = payer && (await this.limits.draw(payer.kind, payer.key));
      return allowance?.isExceeded ? refusal(exceeded(allowance)) : undefined;
    } catch (error) {
      if (error instanceof ApiError) return refusal(error);
      throw error;
    }
  };

  admit: Admit = async (operation, context, nodes) => {
    const { [paidWith]: paid, [isUnguessable]: isSession }: Charged = context;
    const response = paid === 'socket' ? undefined : paid;
    const { points, guesses } = this.costOf(operation);
    const price = Math.max(points, Math.ceil(nodes / nodesPerPoint));
    const due = paid ? price - 1 : price;
    const payer = due > 0 ? await this.payer(context) : undefined;
    const drawn = [
      ...(payer ? [await this.limits.draw(payer.kind, payer.key, due)] : []),
      ...(guesses > 0 && !isSession
        ? [await this.limits.draw('sensitive', addressKey(context.clientAddress), guesses)]
        : []),
    ];
    const refused = drawn.find(({ isExceeded }) => isExceeded);
    const tightest = refused ?? drawn.toSorted((a, b) => a.remaining - b.remaining)[0];
    if (response && tightest && !response.headersSent) writeHeaders(response, tightest);
    return refused && refusal(exceeded(refused));
  };

  /** Who pays. The panel's own services do not; whoever has no valid token pays by address. */
  private async payer(context: RequestContext): Promise<Payer | undefined> {
    const exchanged = this.exchange(context);
    const { authorization } = exchanged instanceof Promise ? await exchanged : exchanged;
    const told = authorization === undefined ? undefined : await this.verify(authorization);
    const viewer = told instanceof ApiError ? undefined : told;
    setCaller(context, {
      isSignedIn: viewer !== undefined,
      isNode: viewer?.kind === 'node',
      ...(told instanceof ApiError ? { denial: told } : {}),
    });
    switch (viewer?.kind) {
      case undefined:
        return addressOf(context);
      case 'user':
      case 'api-key':
      case 'delegate':
        return { kind: 'tenant', key: viewer.tenantId };
      case 'node':
        return { kind: 'node', key: viewer.instanceId };
      case 'service':
        return undefined;
    }
  }

  private verify(authorization: string): Viewer | Promise<Viewer | ApiError> {
    const viewer = this.verifier.viewerOf(authorization);
    return viewer instanceof Promise ? viewer.catch(asRefusal) : viewer;
  }

  private costOf(operation: PreparedOperation): Cost {
    const known = this.costs.get(operation);
    if (known) return known;
    const fields = rootFields(operation);
    const cost = {
      points: fields.reduce((sum, name) => sum + (pointsOfField.get(name) ?? 1), 0) || 1,
      guesses: fields.filter((name) => sensitiveFields.has(name)).length,
    };
    this.costs.set(operation, cost);
    return cost;
  }
}

function rootFields({ context }: PreparedOperation): string[] {
  const names = ({ selections }: SelectionSetNode): string[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection.name.value];
      if (selection.kind === Kind.INLINE_FRAGMENT) return names(selection.selectionSet);
      const fragment = context.fragments[selection.name.value];
      return fragment ? names(fragment.selectionSet) : [];
    });
  return names((context.operation satisfies OperationDefinitionNode).selectionSet);
}

function addressOf({ clientAddress }: RequestContext): Payer {
  return { kind: 'address', key: addressKey(clientAddress) };
}

function asRefusal(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}

function refusal(error: ApiError): GraphQLError {
  return new GraphQLError(error.message, { originalError: error, extensions: { ...error.extensions } });
}

function exceeded({ limit, resetAt }: Allowance): ApiError {
  return new ApiError('RATE_LIMITED', `More than ${limit} requests in a minute`, {
    retryAfterSeconds: Math.max(1, resetAt - Math.floor(Date.now() / 1000)),
  });
}

function writeHeaders(response: Response, { limit, remaining, resetAt }: Allowance): void {
  response.setHeader('X-RateLimit-Limit', limit);
  response.setHeader('X-RateLimit-Remaining', remaining);
  response.setHeader('X-RateLimit-Reset', resetAt);
}
