import {
  createSourceEventStream,
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
import { Engine } from '../execution/engine.js';
import type { Logger } from '../logger.js';
import type { RequestContext } from '../request-context.js';
import { makeSlot } from '../slot.js';
import { cursorExtensions, openedAtOf, type OpenedAt } from './cursor.js';
import { mapEvents, type EventStream } from './map-events.js';
import { maskError, toGraphQLError } from './mask-errors.js';
import type { Subgraph } from './subgraph.js';
import { EventReader, endIfUntold, type ReadPatience } from './until-read.js';

/** One operation for one subgraph, as the query plan has it. */
export interface SubgraphRequest {
  query: string;
  operationName?: string | undefined;
  variables?: Record<string, unknown> | undefined;
}

/**
 * Bytes of one subscription as a gateway sends it: four times what a client may, as planning and the token add to it.
 * A longer one would end the socket that all subscriptions share.
 */
export const longestSubscription = 4 * 1024 * 1024;

/**
 * One event of a subgraph's subscription. It is executed when called, so that the caller chooses its context: `renewed`
 * makes one for each try, as that of before keeps what could not be loaded, and its token may have ended.
 */
export type SubgraphEvent = (renewed: () => Promise<RequestContext>) => Promise<FormattedExecutionResult>;

const documentsBytes = 16 * 1024 * 1024;
// As measured, without locations.
const nodeBytes = 120;

/** An event, and what its subscriber wants to know of it. */
interface Happened {
  request: SubgraphRequest;
  document: DocumentNode;
  rootValue: unknown;
  /** Of the subscription. */
  opened: RequestContext;
}

type CheckedDocument = { document: DocumentNode; errors: readonly GraphQLError[] };

/** What is found out once for a schema, however many panels of a process run it. */
interface Prepared {
  /** Planned operations are few and repeat: each is parsed and validated once. Bounded by the memory that they take. */
  documents: LRUCache<string, CheckedDocument>;
  engine: Engine;
}

const bySchema = new WeakMap<GraphQLSchema, Prepared>();

function preparedFor(schema: GraphQLSchema): Prepared {
  const known = bySchema.get(schema);
  if (known) return known;
  const documents = new LRUCache<string, CheckedDocument>({
    maxSize: documentsBytes,
    sizeCalculation: ({ document }, text) => countNodes(document) * nodeBytes + 2 * text.length,
  });
  const made = { documents, engine: new Engine(schema) };
  bySchema.set(schema, made);
  return made;
}

/** Runs operations of one subgraph in this process, with plain JSON errors that are fit to be shown. */
export class SubgraphRunner {
  private readonly prepared: Prepared;
  /** One subgraph context per operation, so that its DataLoaders batch over all fetches of the plan. */
  private readonly contexts = makeSlot<{ context: unknown }>();

  constructor(
    readonly subgraph: Subgraph,
    private readonly logger: Logger,
    private readonly patience?: ReadPatience,
  ) {
    this.prepared = preparedFor(subgraph.schema);
  }

  async execute(request: SubgraphRequest, context: RequestContext): Promise<FormattedExecutionResult> {
    try {
      const checked = this.check(request.query);
      if (checked.errors.length > 0) return this.refuse(checked.errors, context);
      return this.present(
        await this.prepared.engine.execute(await this.args(request, checked.document, context)),
        context,
      );
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
      const left = new AbortController();
      const reader = new EventReader(left.signal, this.patience);
      const { document } = checked;
      const events = mapEvents(
        stream,
        (rootValue) =>
          Promise.resolve<SubgraphEvent>(async (renewed) => {
            const happened = { request, document, rootValue, opened: context };
            const result = await reader.read(() => this.tell(happened, renewed));
            if (!left.signal.aborted) endIfUntold(result);
            return result;
          }),
        (error) => this.endOf(error, context),
        () => left.abort(),
      );
      const openedAt = openedAtOf(stream);
      return openedAt === undefined ? events : Object.assign(events, { openedAt });
    } catch (error) {
      return this.refuse([toGraphQLError(error)], context);
    }
  }

  private async tell(
    { request, document, rootValue, opened }: Happened,
    renewed: () => Promise<RequestContext>,
  ): Promise<FormattedExecutionResult> {
    const extensions = cursorExtensions(rootValue);
    const answer = async (): Promise<FormattedExecutionResult> => {
      const context = await renewed();
      const args = await this.args(request, document, context);
      return this.present(await this.prepared.engine.execute({ ...args, rootValue }), context);
    };
    const told = await answer().catch((error: unknown) => this.refuse([toGraphQLError(error)], opened));
    return { ...told, ...(extensions ? { extensions } : {}) };
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
    return this.prepared.documents.calculatedSize;
  }

  private check(query: string): CheckedDocument {
    let checked = this.prepared.documents.get(query);
    if (!checked) {
      const document = parse(query, { noLocation: true });
      checked = { document, errors: validate(this.subgraph.schema, document) };
      this.prepared.documents.set(query, checked);
    }
    return checked;
  }

  private async args(
    request: SubgraphRequest,
    document: DocumentNode,
    context: RequestContext,
  ): Promise<ExecutionArgs> {
    let made = this.contexts.get(context);
    if (!made) this.contexts.set(context, (made = { context: this.subgraph.createContext(context) }));
    return {
      schema: this.subgraph.schema,
      document,
      operationName: request.operationName,
      variableValues: request.variables,
      contextValue: await made.context,
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
