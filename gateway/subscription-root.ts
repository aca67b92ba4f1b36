import {
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  type SelectionSetNode,
} from 'graphql';

import { badRequest } from './bad-request.js';

/**
 * A subscription is one event stream, so its root field can't be conditional. To be asked before validation: with a
 * variable as the condition, graphql-js's own rule for the root field throws.
 */
export function conditionalRoot(document: DocumentNode): GraphQLError | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    if (definition.operation !== OperationTypeNode.SUBSCRIPTION) continue;
    const condition = conditionIn(definition.selectionSet, fragments);
    if (condition) return badRequest(`@${condition} can't be used on the root field of a subscription`);
  }
  return undefined;
}

/** Takes each fragment out as it is followed, so that a cycle ends. */
function conditionIn(
  { selections }: SelectionSetNode,
  fragments: Map<string, FragmentDefinitionNode>,
): string | undefined {
  for (const selection of selections) {
    const condition = selection.directives?.find(
      ({ name }) => name.value === 'skip' || name.value === 'include',
    );
    if (condition) return condition.name.value;
    if (selection.kind === Kind.FIELD) continue;
    let inner: SelectionSetNode | undefined;
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      inner = selection.selectionSet;
    } else {
      inner = fragments.get(selection.name.value)?.selectionSet;
      fragments.delete(selection.name.value);
    }
    const found = inner && conditionIn(inner, fragments);
    if (found) return found;
  }
  return undefined;
}
