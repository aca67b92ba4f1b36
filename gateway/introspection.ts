import {
  Kind,
  executeSync,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';

import type { PreparedOperation } from './documents.js';

type OperationContext = PreparedOperation['context'];

// An answer may take half a megabyte, and a client can ask in a thousand spellings: only a few are kept.
const answers = new LRUCache<PreparedOperation, ExecutionResult>({ max: 4 });

/** Whether an operation asks for nothing but the schema, so that no subgraph and no plan is needed. */
export function isIntrospection({ operation, fragments }: OperationContext): boolean {
  return operation.operation === 'query' && asksSchemaOnly(operation.selectionSet, fragments);
}

/** Answers from the schema, by graphql-js itself: Apollo's executor does not know its newer fields (`isOneOf`). */
export function introspect(
  operation: PreparedOperation,
  variableValues: Record<string, unknown>,
): ExecutionResult {
  const { document, context } = operation;
  const known = answers.get(operation);
  if (known) return known;
  const operationName = context.operation.name?.value;
  const answer = executeSync({ schema: context.schema, document, operationName, variableValues });
  // The schema never changes under this process: only variables can make the answer another one.
  if (!context.operation.variableDefinitions?.length) answers.set(operation, answer);
  return answer;
}

function asksSchemaOnly(
  { selections }: SelectionSetNode,
  fragments: Record<string, FragmentDefinitionNode>,
): boolean {
  return selections.every((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value.startsWith('__');
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    return inner !== undefined && asksSchemaOnly(inner.selectionSet, fragments);
  });
}
