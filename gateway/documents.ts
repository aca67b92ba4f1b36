import { operationFromDocument } from '@apollo/federation-internals';
import { buildOperationContext } from '@apollo/gateway/dist/operationContext.js';
import type { QueryPlan } from '@apollo/query-planner';
import {
  GraphQLError,
  OverlappingFieldsCanBeMergedRule,
  Source,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
} from 'graphql';

import type { Caller } from '#platform/caller.js';
import { dropTokens } from '#platform/document-size.js';
import type { ApiError } from '#platform/errors.js';
import type { Logger } from '#platform/logger.js';

import { badRequest } from './bad-request.js';
import { isIntrospection } from './introspection.js';
import {
  addOperation,
  defaultMemory,
  KnownDocuments,
  newlyKnown,
  type DocumentMemory,
  type KnownDocument,
} from './known-documents.js';
import { strangerLimits, type DocumentLimits } from './limits.js';
import { countFields, overLimit, tooComplex, tooMuch } from './measure.js';
import { nodeCounter, type CountNodes } from './nodes.js';
import { conditionalRoot } from './subscription-root.js';
import type { LoadedSupergraph } from './supergraph.js';
import { takenAlias } from './taken-alias.js';

/** A client's text, or a document of our own that is trusted and known by its identity. */
export type DocumentSource =
  | { query: string; document?: undefined; caller?: Caller | undefined }
  | { document: DocumentNode; query?: undefined; caller?: undefined };

/** An operation that was validated and planned: all that is left is to run it. */
export interface PreparedOperation {
  document: DocumentNode;
  context: ReturnType<typeof buildOperationContext>;
  /** Absent when the schema alone is asked for. */
  plan?: QueryPlan;
  countNodes: CountNodes;
}

/** Why a request is refused. */
export interface Refusal {
  errors: readonly GraphQLError[];
  operation?: undefined;
}

export type Prepared = Refusal | { operation: PreparedOperation; errors?: undefined };

const maxErrors = 5;
const quickRules = specifiedRules.filter((rule) => rule !== OverlappingFieldsCanBeMergedRule);

/** Text that was parsed, checked and planned before costs one look-up. Refused documents are not kept. */
export class Documents {
  private readonly byText: KnownDocuments;
  private readonly byIdentity: WeakMap<DocumentNode, KnownDocument>;
  private readonly strangers: DocumentLimits;
  /** Told of each operation: whether its plan was known. */
  onAsked: (outcome: 'hit' | 'miss') => void = () => undefined;

  constructor(
    private readonly graph: LoadedSupergraph,
    readonly limits: DocumentLimits,
    private readonly logger: Logger,
    memory: DocumentMemory = defaultMemory,
  ) {
    this.byText = new KnownDocuments(memory);
    this.byIdentity = byIdentityIn(graph);
    this.strangers = tightest(limits, strangerLimits);
  }

  /** What is kept of clients' documents, in bytes; about. */
  get bytes(): { established: number; recent: number } {
    return this.byText.bytes;
  }

  prepare({ query, document, caller }: DocumentSource, operationName: string | null | undefined): Prepared {
    const name = operationName ?? '';
    if (document !== undefined) {
      const trusted = this.byIdentity.get(document) ?? this.validated(document);
      return 'errors' in trusted ? trusted : this.operation(trusted, name);
    }
    const isSignedIn = caller?.isSignedIn !== false;
    const known = this.byText.find(query, isSignedIn) ?? this.fromText(query, caller);
    if ('errors' in known) return known;
    const planned = known.operations.size;
    const prepared = this.operation(known, name);
    if (known.operations.size > planned) this.byText.keep(query, known, isSignedIn);
    return prepared;
  }

  private fromText(query: string, caller: Caller | undefined): KnownDocument | Refusal {
    const limits = caller?.isSignedIn === false ? this.strangers : this.limits;
    try {
      const document = parseWithin(query, limits);
      const refusal = overLimit(document, limits);
      if (refusal) throw refusal;
      const checked = this.validated(document);
      if (!('errors' in checked)) dropTokens(document);
      return checked;
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const isForStrangers = limits === this.strangers && error.extensions['reason'] === tooComplex;
      return { errors: [isForStrangers ? signInFirst(error, caller?.denial) : error] };
    }
  }

  private validated(document: DocumentNode): KnownDocument | Refusal {
    const refusal = conditionalRoot(document);
    if (refusal) return { errors: [refusal] };
    const errors = this.violations(document);
    if (errors.length > 0) return { errors: errors.map((error) => badRequest(error.message, error)) };
    const known = newlyKnown(document);
    this.byIdentity.set(document, known);
    return known;
  }

  /** The rule that compares all fields with each other is spared a document that breaks another one. */
  private violations(document: DocumentNode): readonly GraphQLError[] {
    const { schema } = this.graph;
    const errors = validate(schema, document, quickRules, { maxErrors });
    return errors.length > 0
      ? errors
      : validate(schema, document, [OverlappingFieldsCanBeMergedRule], { maxErrors });
  }

  private operation(known: KnownDocument, name: string): Prepared {
    const { document } = known;
    const planned = known.operations.get(name);
    this.onAsked(planned ? 'hit' : 'miss');
    if (planned) return { operation: planned };
    const named = name === '' ? {} : { operationName: name };
    try {
      const context = buildOperationContext({
        schema: this.graph.schema,
        operationDocument: document,
        ...named,
      });
      const plan = isIntrospection(context) ? {} : { plan: this.plan(document, named) };
      const refusal =
        plan.plan && takenAlias(plan.plan, context.operation, context.fragments, context.schema);
      if (refusal) return { errors: [refusal] };
      const countNodes = nodeCounter(context.operation, context.schema, context.fragments);
      const operation = { document, context, ...plan, countNodes };
      addOperation(known, name, operation, countFields(context.operation, context.fragments));
      return { operation };
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [badRequest(error.message, error)] };
      // The planner's own guards against explosive selections throw plain errors.
      if (error instanceof Error && /exceed(s|ed) /i.test(error.message)) {
        return { errors: [badRequest('The operation is too complex to be planned')] };
      }
      this.logger.error({ err: error }, 'An operation could not be planned');
      return { errors: [new GraphQLError('Internal error', { extensions: { code: 'INTERNAL' } })] };
    }
  }

  private plan(document: DocumentNode, named: { operationName?: string }): QueryPlan {
    return this.graph.planner.buildQueryPlan(operationFromDocument(this.graph.apiSchema, document, named));
  }
}

/** Documents of our own are planned once for a supergraph, whichever gateway runs them. */
const trusted = new WeakMap<LoadedSupergraph, WeakMap<DocumentNode, KnownDocument>>();

function byIdentityIn(graph: LoadedSupergraph): WeakMap<DocumentNode, KnownDocument> {
  const known = trusted.get(graph) ?? new WeakMap<DocumentNode, KnownDocument>();
  trusted.set(graph, known);
  return known;
}

function parseWithin(query: string, limits: DocumentLimits): DocumentNode {
  if (query.length > limits.characters) throw tooMuch('characters', limits);
  try {
    return parse(new Source(query), { maxTokens: limits.tokens });
  } catch (error) {
    // The parser is recursive: text nested deeply enough ends its stack.
    if (error instanceof RangeError) throw tooMuch('depth', limits);
    if (!(error instanceof GraphQLError)) throw error;
    // graphql-js has no other sign for it.
    if (error.message.includes('Parsing aborted')) throw tooMuch('tokens', limits);
    throw badRequest(error.message, error);
  }
}

function tightest(limits: DocumentLimits, more: Partial<DocumentLimits>): DocumentLimits {
  const names = Object.keys(limits) as (keyof DocumentLimits)[];
  const pairs = names.map((name) => [name, Math.min(limits[name], more[name] ?? Infinity)]);
  return Object.fromEntries(pairs) as unknown as DocumentLimits;
}

/** What is not looked at for a stranger would have needed somebody to be signed in anyway. */
function signInFirst({ message, extensions }: GraphQLError, denial: ApiError | undefined): GraphQLError {
  if (denial) return new GraphQLError(denial.message, { extensions: { ...denial.extensions } });
  return new GraphQLError(`Authentication is required: ${message.replace('The', 'the')}`, {
    extensions: { ...extensions, code: 'UNAUTHENTICATED' },
  });
}
