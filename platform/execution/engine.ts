import {
  execute as executeByGraphql,
  Kind,
  OperationTypeNode,
  validateSchema,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';

import { traitsOf, type Conditions, type DocumentTraits } from './collect.js';
import type { Select } from './completion.js';
import { isPromise } from './promises.js';
import { Run, type Definition } from './run.js';
import { compileFields, executeInTurn, executeTogether, type Compilation } from './selection.js';
import { variableReader } from './variables.js';

/** What of graphql-js's arguments the engine takes. */
export type EngineArgs = Pick<
  ExecutionArgs,
  'document' | 'operationName' | 'variableValues' | 'contextValue' | 'rootValue'
>;

export interface EngineOptions {
  /** How much memory compiled operations may take, as estimated. The least used are dropped. */
  maxBytes?: number;
}

/** An operation for one set of values of the variables that decide which fields there are. */
interface Compiled {
  key: string;
  compilation: Compilation;
  select?: Select;
  /** How many of its fields the cache knows of. */
  weighed: number;
}

interface KnownDocument extends DocumentTraits {
  id: number;
  definitions: Map<string | undefined, Definition>;
}

// What a compiled field holds on to, roughly: its closures and its share of the document.
const fieldBytes = 3_000;
const operationBytes = 5_000;
const noVariables: readonly VariableDefinitionNode[] = [];
// As graphql-js has it.
const maxCoercionErrors = 50;

/**
 * Executes operations as graphql-js does, with what can be known of them before they run found out once: which fields
 * there are, how each is resolved and completed. No code is made of documents: an operation becomes closures over the
 * schema. Answers, errors, their order and the order in which resolvers are called are those of graphql-js, to which a
 * property test holds it; what is out of the ordinary is left to graphql-js itself.
 *
 * Compiled operations are kept by the identity of their document, so callers keep documents that they use again.
 */
export class Engine {
  private readonly documents = new WeakMap<DocumentNode, KnownDocument>();
  private readonly operations: LRUCache<string, Compiled>;
  private readonly isValid: boolean;
  private nextId = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    { maxBytes = 32_000_000 }: EngineOptions = {},
  ) {
    this.operations = new LRUCache({ maxSize: maxBytes });
    this.isValid = validateSchema(schema).length === 0;
  }

  /** What the compiled operations that are kept take, as estimated. */
  get keptBytes(): number {
    return this.operations.calculatedSize;
  }

  /** Never rejects, and throws only where graphql-js does: for arguments that are none. */
  execute(args: EngineArgs): ExecutionResult | Promise<ExecutionResult> {
    const { document, variableValues, operationName } = args;
    const known = this.isValid && isObjectOrNone(variableValues) ? this.know(document) : undefined;
    const definition = known && !known.hasOddKeys && this.define(known, document, operationName ?? undefined);
    if (!definition) return executeByGraphql({ ...args, schema: this.schema });
    const { variableDefinitions = noVariables } = definition.operation;
    const { coerced, errors } = variableReader(this.schema).values(
      variableDefinitions,
      variableValues ?? {},
      {
        maxErrors: maxCoercionErrors,
      },
    );
    if (!coerced) return { errors: errors ?? [] };
    const run = new Run(definition, args.contextValue, args.rootValue, coerced);
    return this.run(run, this.compiled(known, definition, operationName ?? undefined, coerced));
  }

  private run(run: Run, compiled: Compiled): ExecutionResult | Promise<ExecutionResult> {
    try {
      compiled.select ??= rootSelection(compiled.compilation);
      const data = compiled.select(run, run.rootValue, undefined);
      if (!isPromise(data)) return this.present(run, data, compiled);
      return data.then(
        (completed) => this.present(run, completed, compiled),
        (error: GraphQLError) => this.fail(run, error, compiled),
      ) as Promise<ExecutionResult>;
    } catch (error) {
      return this.fail(run, error as GraphQLError, compiled);
    }
  }

  private fail(run: Run, error: GraphQLError, compiled: Compiled): ExecutionResult {
    run.add(error, undefined);
    return this.present(run, null, compiled);
  }

  private present({ errors }: Run, completed: unknown, compiled: Compiled): ExecutionResult {
    this.weigh(compiled);
    const data = completed as ExecutionResult['data'];
    return errors.length === 0 ? { data } : { errors, data };
  }

  private know(document: DocumentNode): KnownDocument {
    let known = this.documents.get(document);
    if (!known) {
      known = { id: this.nextId++, definitions: new Map(), ...traitsOf(document) };
      this.documents.set(document, known);
    }
    return known;
  }

  /** `undefined` where there is no such operation, which graphql-js has the words for. */
  private define(
    { definitions }: KnownDocument,
    document: DocumentNode,
    name: string | undefined,
  ): Definition | undefined {
    let definition = definitions.get(name);
    if (!definition) {
      definition = definitionOf(this.schema, document, name);
      if (definition) definitions.set(name, definition);
    }
    return definition;
  }

  private compiled(
    known: KnownDocument,
    definition: Definition,
    name: string | undefined,
    variables: Record<string, unknown>,
  ): Compiled {
    const conditions: Conditions = Object.fromEntries(
      known.conditions
        .filter((asked) => Object.hasOwn(variables, asked))
        .map((asked) => [asked, variables[asked]]),
    );
    const values = known.conditions.map((asked) => letterOf(conditions, asked));
    const key = `${known.id} ${name ?? ''} ${values.join('')}`;
    let compiled = this.operations.get(key);
    if (!compiled) {
      compiled = { key, compilation: { definition, conditions, fields: 0, slots: 0 }, weighed: 0 };
      this.operations.set(key, compiled, { size: operationBytes });
    }
    return compiled;
  }

  /** Objects below the root are compiled when a run first meets them, so an operation grows after it is kept. */
  private weigh(compiled: Compiled): void {
    const { fields } = compiled.compilation;
    if (fields === compiled.weighed) return;
    compiled.weighed = fields;
    this.operations.set(compiled.key, compiled, { size: operationBytes + fields * fieldBytes });
  }
}

function isObjectOrNone(variables: unknown): boolean {
  return variables === undefined || typeof variables === 'object';
}

function letterOf(conditions: Conditions, name: string): string {
  if (!Object.hasOwn(conditions, name)) return '-';
  const value = conditions[name];
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return value === null ? 'n' : 'o';
}

function definitionOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  name: string | undefined,
): Definition | undefined {
  const operations: OperationDefinitionNode[] = [];
  const fragments = Object.create(null) as Record<string, FragmentDefinitionNode>;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    if (name === undefined || definition.name?.value === name) operations.push(definition);
  }
  const operation = operations.at(-1);
  const isAmbiguous = name === undefined && operations.length > 1;
  if (!operation || isAmbiguous || !schema.getRootType(operation.operation)) return undefined;
  return { schema, operation, fragments };
}

function rootSelection(compilation: Compilation): Select {
  const { schema, operation } = compilation.definition;
  const fields = compileFields(compilation, schema.getRootType(operation.operation)!, [
    operation.selectionSet,
  ]);
  return operation.operation === OperationTypeNode.MUTATION ? executeInTurn(fields) : executeTogether(fields);
}
