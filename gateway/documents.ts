import { operationFromDocument } from '@apollo/federation-internals';
import { buildOperationContext } from '@apollo/gateway';
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
import { LRUCache } from 'lru-cache';

import type { Logger } from '#platform/logger.js';

import { badRequest } from './bad-request.js';
import { isIntrospection } from './introspection.js';
import type { DocumentLimits } from './limits.js';
import { overLimit, tooMuch } from './measure.js';
import { conditionalRoot } from './subscription-root.js';
import type { LoadedSupergraph } from './supergraph.js';

/** A client's text, or a document of our own that is trusted and known by its identity. */
export type DocumentSource =
  | { query: string; document?: undefined }
  | { document: DocumentNode; query?: undefined };

/** An operation that was validated and planned: all that is left is to run it. */
export interface PreparedOperation {
  document: DocumentNode;
  context: ReturnType<typeof buildOperationContext>;
  /** Absent when the schema alone is asked for. */
  plan?: QueryPlan;
}

/** Why a request is refused. */
export interface Refusal {
  errors: readonly GraphQLError[];
  operation?: undefined;
}

export type Prepared = Refusal | { operation: PreparedOperation; errors?: undefined };

interface KnownDocument {
  document: DocumentNode;
  operations: Map<string, PreparedOperation>;
}

const maxErrors = 5;
const quickRules = specifiedRules.filter((rule) => rule !== OverlappingFieldsCanBeMergedRule);

/** Text that was parsed, checked and planned before costs one look-up. Refused documents are not kept. */
export class Documents {
  // Bounded by text as well as by number: a parsed document takes some fifty times its text.
  private readonly byText = new LRUCache<string, KnownDocument>({
    max: 1000,
    maxSize: 1_000_000,
    sizeCalculation: (_, text) => text.length + 1,
  });
  private readonly byIdentity = new WeakMap<DocumentNode, KnownDocument>();

  constructor(
    private readonly graph: LoadedSupergraph,
    private readonly limits: DocumentLimits,
    private readonly logger: Logger,
  ) {}

  prepare({ query, document }: DocumentSource, operationName: string | null | undefined): Prepared {
    const known = document === undefined ? this.fromText(query) : this.trusted(document);
    return 'errors' in known ? known : this.operation(known, operationName ?? '');
  }

  private fromText(query: string): KnownDocument | Refusal {
    const known = this.byText.get(query);
    if (known) return known;
    try {
      const document = this.parse(query);
      const refusal = overLimit(document, this.limits);
      if (refusal) throw refusal;
      const checked = this.validated(document);
      if (!('errors' in checked)) this.byText.set(query, checked);
      return checked;
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    }
  }

  private trusted(document: DocumentNode): KnownDocument | Refusal {
    return this.byIdentity.get(document) ?? this.validated(document);
  }

  private parse(query: string): DocumentNode {
    const { characters, tokens } = this.limits;
    if (query.length > characters) throw tooMuch('characters', this.limits);
    try {
      return parse(new Source(query), { maxTokens: tokens });
    } catch (error) {
      // The parser is recursive: text nested deeply enough ends its stack.
      if (error instanceof RangeError) throw tooMuch('depth', this.limits);
      if (!(error instanceof GraphQLError)) throw error;
      // graphql-js has no other sign for it.
      if (error.message.includes('Parsing aborted')) throw tooMuch('tokens', this.limits);
      throw badRequest(error.message, error);
    }
  }

  private validated(document: DocumentNode): KnownDocument | Refusal {
    const refusal = conditionalRoot(document);
    if (refusal) return { errors: [refusal] };
    const errors = this.violations(document);
    if (errors.length > 0) return { errors: errors.map((error) => badRequest(error.message, error)) };
    const known = { document, operations: new Map<string, PreparedOperation>() };
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

  private operation({ document, operations }: KnownDocument, name: string): Prepared {
    const known = operations.get(name);
    if (known) return { operation: known };
    const named = name === '' ? {} : { operationName: name };
    try {
      const context = buildOperationContext({
        schema: this.graph.schema,
        operationDocument: document,
        ...named,
      });
      const plan = isIntrospection(context) ? {} : { plan: this.plan(document, named) };
      const operation = { document, context, ...plan };
      operations.set(name, operation);
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
