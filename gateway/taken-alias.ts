import type { PlanNode, QueryPlan, QueryPlanSelectionNode } from '@apollo/query-planner';
import {
  GraphQLError,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

import { badRequest } from './bad-request.js';

/** Names of fields that steps of a plan read from what earlier steps answered, by the type they are read of. */
type Required = Map<string, Set<string>>;

/**
 * Refuses an alias under which the plan reads another field: @apollo/query-planner 2.14.4 asks for a type's key under
 * the key's own name, also where the client has given that name to another field, and one of the two is lost without an
 * error. `{ instance { id: name bill { total } } }` would get the id for the name.
 */
export function takenAlias(
  plan: QueryPlan,
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
  schema: GraphQLSchema,
): GraphQLError | undefined {
  const required: Required = new Map();
  for (const node of topNodes(plan)) collect(node, required);
  const types = new TypeInfo(schema);
  let refusal: GraphQLError | undefined;
  // The published graph has neither interfaces nor unions, so what is read of a type is read of it by its own name.
  const isTaken = (alias: string) =>
    alias === '__typename' || required.get(types.getParentType()?.name ?? '')?.has(alias) === true;
  const look = (field: FieldNode) => {
    const alias = field.alias?.value;
    if (refusal || alias === undefined || alias === field.name.value || !isTaken(alias)) return;
    refusal = badRequest(
      `"${field.name.value}" can't be given the name "${alias}" here, under which another field is read; choose another alias`,
      new GraphQLError('', { nodes: field }),
    );
  };
  const definitions = [operation, ...Object.values(fragments)];
  visit({ kind: Kind.DOCUMENT, definitions }, visitWithTypeInfo(types, { Field: look }));
  return refusal;
}

function topNodes({ node }: QueryPlan): PlanNode[] {
  if (!node) return [];
  return node.kind === 'Subscription' ? [node.primary, ...(node.rest ? [node.rest] : [])] : [node];
}

function collect(node: PlanNode, required: Required): void {
  switch (node.kind) {
    case 'Fetch':
      for (const selection of node.requires ?? []) collectNames(selection, required);
      return;
    case 'Flatten':
      return collect(node.node, required);
    case 'Sequence':
    case 'Parallel':
      for (const each of node.nodes) collect(each, required);
      return;
    case 'Condition':
      if (node.ifClause) collect(node.ifClause, required);
      if (node.elseClause) collect(node.elseClause, required);
      return;
    // The schema has no @defer.
    case 'Defer':
  }
}

/** Keys and required fields have no selections of their own in this graph. */
function collectNames(selection: QueryPlanSelectionNode, required: Required): void {
  if (selection.kind !== 'InlineFragment') return;
  const type = selection.typeCondition!;
  const names = required.get(type) ?? new Set<string>();
  required.set(type, names);
  for (const inner of selection.selections) {
    if (inner.kind === 'Field') names.add(inner.name);
    else collectNames(inner, required);
  }
}
