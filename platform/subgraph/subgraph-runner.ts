import {
  createSourceEventStream,
  execute,
  parse,
  validate,
  type DocumentNode,
  type ExecutionArgs,
  type FormattedExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import { LRUCache } from 'lru-cache';

import { countNodes } from '../document-size.js';
import { ApiError, isErrorCode } from '../errors.js';
import type { Logger } from '../logger.js';
import type { RequestContext } from '../request-context.js';
import { cursorExtensions, openedAtOf, type OpenedAt } from './cursor.js';
import { mapEvents, type EventStream } from './map-events.js';
import { maskError, toGraphQLError } from './mask-errors.js';
import type { Subgraph } from './subgraph.js';

/** One operation for one subgraph, as the query plan has it. */
export interface SubgraphRequest {
  query: string;
  operationName?: string | undefined;
  variables?: Record<string, unknown> | undefined;
}

/** One event of a subgraph's subscription. It is executed when called, so that the caller chooses its context. */
export type SubgraphEvent = (context: RequestContext) => Promise<FormattedExecutionResult>;

const documentsBytes = 16 * 1024 * 1024;
// As measured, without locations.
const nodeBytes = 120;

type CheckedDocument = { document: DocumentNode; errors: readonly GraphQLError[] };

type CheckedDocuments = LRUCache<string, CheckedDocument>;

const bySchema = new WeakMap<GraphQLSchema, CheckedDocuments>();

/**
 * Planned operations are few and repeat: each is parsed and validated once for a schema. Bounded by the memory that they
 * take.
 */
function documentsOf(schema: GraphQLSchema): CheckedDocuments {
  const known = bySchema.get(schema);
  if (known) return known;
  const made: CheckedDocuments = new LRUCache({
    maxSize: documentsBytes,
    sizeCalculation: ({ document }, text) => countNodes(document) * nodeBytes + 2 * text.length,
  });
  bySchema.set(schema, made);
  return made;
}

/** Runs operations of one subgraph in this process, with plain JSON errors that are fit to be shown. */
export class SubgraphRunner {
  private readonly documents: CheckedDocuments;
  /** One subgraph context per operation, so that its DataLoaders batch over all fetches of the plan. */
  private readonly contexts = new WeakMap<RequestContext, unknown>();

  constructor(
    readonly subgraph: Subgraph,
    private readonly logger: Logger,
  ) {
    this.documents = documentsOf(subgraph.schema);
  }

  async execute(request: SubgraphRequest, context: RequestContext): Promise<FormattedExecutionResult> {
    try {
      const checked = this.check(request.query);
      if (checked.errors.length > 0) return this.refuse(checked.errors, context);
      return this.present(await execute(await this.args(request, checked.document, context)), context);
    } catch (error) {
      return this.refuse([toGraphQLError(error)], context);
    }
  }

  /** Opens the event stream; errors found before the first event come as a plain result. */
  async subscribe(
    request: SubgraphRequest,
    context: RequestContext,
  ): Promise<(EventStream<SubgraphEvent> & OpenedAt) | FormattedExecutionResult> {
    try {
      const checked = this.check(request.query);
      if (checked.errors.length > 0) return this.refuse(checked.errors, context);
      const stream = await createSourceEventStream(await this.args(request, checked.document, context));
      if (!(Symbol.asyncIterator in stream)) return this.present(stream, context);
      const events = mapEvents(
        stream,
        (rootValue) =>
          Promise.resolve<SubgraphEvent>((eventContext) =>
            this.event(request, checked.document, rootValue, eventContext),
          ),
        (error) => this.endOf(error, context),
      );
      const openedAt = openedAtOf(stream);
      return openedAt === undefined ? events : Object.assign(events, { openedAt });
    } catch (error) {
      return this.refuse([toGraphQLError(error)], context);
    }
  }

  private async event(
    request: SubgraphRequest,
    document: DocumentNode,
    rootValue: unknown,
    context: RequestContext,
  ): Promise<FormattedExecutionResult> {
    try {
      const result = await execute({ ...(await this.args(request, document, context)), rootValue });
      const extensions = cursorExtensions(rootValue);
      return { ...this.present(result, context), ...(extensions ? { extensions } : {}) };
    } catch (error) {
      return this.refuse([toGraphQLError(error)], context);
    }
  }

  /** Why a stream has ended, fit to be shown: what is no ApiError tells its words to the log only. */
  private endOf(error: unknown, context: RequestContext): ApiError {
    if (error instanceof ApiError) return error;
    const [masked] = this.refuse([toGraphQLError(error)], context).errors ?? [];
    const code = masked?.extensions?.['code'];
    return new ApiError(isErrorCode(code) ? code : 'INTERNAL', masked?.message ?? 'Internal error');
  }

  /** What is kept of documents, in bytes; about. */
  get bytes(): number {
    return this.documents.calculatedSize;
  }

  private check(query: string): CheckedDocument {
    let checked = this.documents.get(query);
    if (!checked) {
      const document = parse(query, { noLocation: true });
      checked = { document, errors: validate(this.subgraph.schema, document) };
      this.documents.set(query, checked);
    }
    return checked;
  }

  private async args(
    request: SubgraphRequest,
    document: DocumentNode,
    context: RequestContext,
  ): Promise<ExecutionArgs> {
    if (!this.contexts.has(context)) this.contexts.set(context, this.subgraph.createContext(context));
    return {
      schema: this.subgraph.schema,
      document,
      operationName: request.operationName,
      variableValues: request.variables,
      contextValue: await this.contexts.get(context),
    };
  }

  private present(
    result: { data?: FormattedExecutionResult['data']; errors?: readonly GraphQLError[] },
    context: RequestContext,
  ): FormattedExecutionResult {
    const data = result.data ?? null;
    return result.errors ? { ...this.refuse(result.errors, context), data } : { data };
  }

  private refuse(errors: readonly GraphQLError[], context: RequestContext): FormattedExecutionResult {
    const log = this.logger.child({ requestId: context.requestId, subgraph: this.subgraph.name });
    return { data: null, errors: errors.map((error) => maskError(error, log)) };
  }
}
