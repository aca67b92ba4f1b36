import type { Request, RequestHandler, Response } from 'express';
import type { DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';

import { callerOf } from '#platform/caller.js';
import { outcomeUnknown } from '#platform/errors.js';
import type { FindBrokenRules } from '#platform/input-rules.js';
import type { Logger } from '#platform/logger.js';
import { assetPath } from '#platform/package-root.js';
import type { RequestContext } from '#platform/request-context.js';

import { readBody } from './body.js';
import { compileEndpoint, type Endpoint } from './endpoint.js';
import { Refusal, toRefusal } from './errors.js';
import { loadOperations } from './operations.js';
import { answerPage, cutPage, queryOf, type Page } from './page.js';
import { PathTree, type Found } from './path-tree.js';
import { sendEmpty, sendJson, sendRefusal } from './respond.js';
import type { Route } from './route.js';
import { routes as publishedRoutes } from './routes.js';

/** The gateway's one door. Rejections and `errors` are both understood. */
export type ExecuteOperation = (operation: {
  document: DocumentNode;
  operationName: string;
  variables: Record<string, unknown>;
  context: RequestContext;
}) => Promise<ExecutionResult>;

export interface RestRouterOptions {
  /** The API schema: what clients of the gateway see. */
  schema: GraphQLSchema;
  execute: ExecuteOperation;
  logger: Logger;
  /**
   * Rejects with an ApiError when the request's token is no good. Asked only before a client is told what is wrong
   * with its input, because otherwise the subgraphs judge the token themselves.
   */
  authenticate?: (context: RequestContext) => Promise<unknown>;
  /** What the areas' rules say of a body that is refused for its types: all faults are told at once. */
  brokenRules?: FindBrokenRules;
  routes?: readonly Route[];
  /** Where the documents of `routes` are. */
  operationsFolder?: string;
}

/**
 * Answers every path under /api and leaves all others to whoever comes next. Mount it at the root, behind what sets
 * `response.locals.requestContext`. Throws at once when a row or a document does not fit the schema.
 */
export function createRestRouter(options: RestRouterOptions): RequestHandler {
  const machine = new RestMachine(options);
  return (request, response, next) => {
    const { path } = request;
    if (path === '/api' || path.startsWith('/api/')) return machine.answer(request, response);
    next();
  };
}

/** Refuses a request that no row has seen yet, in the style that its row would. */
export function refuseUnread(response: Response, error: unknown): void {
  const { path } = response.req;
  response.setHeader('Cache-Control', 'no-store');
  sendRefusal(
    response,
    toRefusal(error),
    publishedRoutes.find((row) => row.path === path),
  );
}

class RestMachine {
  private readonly tree = new PathTree<Endpoint>();

  constructor(private readonly options: RestRouterOptions) {
    const { schema, brokenRules, routes = publishedRoutes } = options;
    const folder = options.operationsFolder ?? assetPath('rest-compat', 'operations');
    const operations = loadOperations(
      schema,
      folder,
      routes.map(({ document }) => document),
    );
    for (const route of routes)
      this.tree.add(route.method, route.path, endpointOf(route, operations, brokenRules));
  }

  async answer(request: Request, response: Response): Promise<void> {
    let endpoint: Endpoint | undefined;
    response.setHeader('Cache-Control', 'no-store');
    try {
      const found = this.find(request.path);
      endpoint = found.methods.get(request.method === 'HEAD' ? 'GET' : request.method);
      // RFC 6749, section 5.1.
      if (endpoint?.route.errors === 'oauth') response.setHeader('Pragma', 'no-cache');
      if (endpoint) await this.run(endpoint, found.params, request, response);
      else answerWithoutRow(found, request, response);
    } catch (error) {
      this.refuse(error, endpoint, response);
    }
  }

  private find(path: string): Found<Endpoint> {
    let found: Found<Endpoint> | undefined;
    try {
      found = this.tree.find(path);
    } catch (cause) {
      throw Refusal.of('BAD_REQUEST', 'The path is not well percent-encoded', { cause });
    }
    if (!found) throw Refusal.of('NOT_FOUND', 'Not found');
    return found;
  }

  private async run(
    endpoint: Endpoint,
    params: readonly string[],
    request: Request,
    response: Response,
  ): Promise<void> {
    const context = response.locals.requestContext as RequestContext;
    const variables = await this.read(endpoint, params, context, request, response);
    const { status, verb } = endpoint.route.reply;
    if (verb === 'page') {
      await answerPage(request, response, variables, async (pageVariables, which) => {
        const document = which === 'first' ? endpoint.operation.document : endpoint.followUp;
        const data = await this.execute(endpoint, document, pageVariables, context);
        if (which === 'first') carryHeaders(endpoint, data, response);
        return data.reply as Page;
      });
      return;
    }
    const { first, after, ...others } = variables;
    const asked = verb === 'list' ? others : variables;
    const data = await this.execute(endpoint, endpoint.operation.document, asked, context);
    carryHeaders(endpoint, data, response);
    if (verb === 'list') {
      const all = data.reply as unknown[];
      const window = { ...(first === undefined ? {} : { first }), ...(after === undefined ? {} : { after }) };
      await answerPage(request, response, window, async (which) => cutPage(all, which));
    } else if (verb === 'noContent') sendEmpty(response, status);
    else sendJson(response, status, data.reply);
  }

  private async read(
    endpoint: Endpoint,
    params: readonly string[],
    context: RequestContext,
    request: Request,
    response: Response,
  ): Promise<Record<string, unknown>> {
    const { route } = endpoint;
    if (!route.public && !context.authorization)
      throw Refusal.of('UNAUTHENTICATED', 'Authentication required');
    // Where the token was looked at already no body is read of whoever is refused anyway. Without one the subgraph judges:
    // OAuth's own tokens are known to userinfo alone.
    const readsBody = !route.public && route.body !== undefined;
    const denial = readsBody ? callerOf(context)?.denial : undefined;
    if (denial) throw denial;
    try {
      const body = endpoint.takesBody
        ? await readBody(request, response, { accept: route.accept, isReport: endpoint.isReport })
        : { json: {} };
      return endpoint.read({ params, query: queryOf(request), body });
    } catch (error) {
      if (!route.public) await this.options.authenticate?.(context);
      throw error;
    }
  }

  private async execute(
    { operation: { operationName, writes }, asSent, render }: Endpoint,
    document: DocumentNode,
    variables: Record<string, unknown>,
    context: RequestContext,
  ): Promise<Record<string, unknown>> {
    // A context of its own for each operation: what subgraphs keep under it dies with the page, not with the list.
    const { data, errors } = await this.options.execute({
      document,
      operationName,
      variables,
      context: { ...context },
    });
    // An answer with holes is no REST answer: the first error is the answer.
    const error = errors?.[0];
    if (error) {
      if (writes && isBelowRoot(error)) {
        this.options.logger.error(
          { requestId: context.requestId, operation: operationName, err: error },
          'REST answer has a hole',
        );
        throw toRefusal(outcomeUnknown(error));
      }
      // Without `data` the document or its variables were refused. Both are ours, so the client did nothing wrong.
      const oursToMend = data === undefined && error.extensions?.code === 'BAD_REQUEST';
      throw oursToMend ? Refusal.internal(error) : toRefusal(error, asSent);
    }
    if (!data) throw new Error(`${operationName} answered neither data nor errors`);
    return render(data) as Record<string, unknown>;
  }

  private refuse(error: unknown, endpoint: Endpoint | undefined, response: Response): void {
    // Nobody is left to tell, and a client that goes away is no fault of ours.
    if (response.destroyed) return;
    const refusal = toRefusal(error, endpoint?.asSent);
    if (refusal.status === 500 || response.headersSent) {
      const { requestId } = (response.locals.requestContext ?? {}) as Partial<RequestContext>;
      const operation = endpoint?.operation.operationName;
      this.options.logger.error({ requestId, operation, err: causeOf(refusal) }, 'REST answer failed');
    }
    // In the middle of a list: only a broken connection tells the client that what it has is not the whole.
    if (response.headersSent) response.destroy();
    else sendRefusal(response, refusal, endpoint?.route);
  }
}

/**
 * What a mutation does is done when its root field has answered: what could not be read below it, for whatever reason,
 * must not be told as a refusal. Of UNAVAILABLE the gateway has judged already.
 */
function isBelowRoot({ path, extensions }: GraphQLError): boolean {
  return path !== undefined && path.length > 1 && extensions.code !== 'UNAVAILABLE';
}

function endpointOf(
  route: Route,
  operations: ReturnType<typeof loadOperations>,
  brokenRules: FindBrokenRules | undefined,
): Endpoint {
  const operation = operations.get(route.document);
  if (!operation) throw new Error(`${route.document} was not loaded`);
  try {
    return compileEndpoint(route, operation, brokenRules);
  } catch (cause) {
    const fault = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`REST route ${route.method} ${route.path}: ${fault}`, { cause });
  }
}

function answerWithoutRow({ methods }: Found<Endpoint>, request: Request, response: Response): void {
  const allowed = [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'];
  const headers = { Allow: allowed.join(', ') };
  if (request.method !== 'OPTIONS') throw new Refusal(405, 'Method not allowed', { headers });
  response.setHeader('Allow', headers.Allow);
  sendEmpty(response, 204);
}

function carryHeaders({ headers }: Endpoint, data: Record<string, unknown>, response: Response): void {
  for (const { alias, header, inReply } of headers) {
    const holder = (inReply ? data.reply : data) as Record<string, unknown>;
    const value = holder[alias];
    if (inReply) delete holder[alias];
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    response.setHeader(header, String(value).replaceAll(/[^\t\x20-\x7e]/g, '?'));
  }
}

function causeOf(refusal: Refusal): unknown {
  const { cause } = refusal.options;
  return cause instanceof Error && 'originalError' in cause
    ? (cause.originalError ?? cause)
    : (cause ?? refusal);
}
