import {
  GraphQLError,
  Kind,
  getNamedType,
  getNullableType,
  isListType,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';

import { defaultPageSize, maxPageSize } from '#platform/page-size.js';

import type { DocumentLimits } from './limits.js';
import { tooComplex } from './measure.js';

/** How many entries of lists an answer has at most, for the variables of one request. */
export type CountNodes = (variables: Readonly<Record<string, unknown>>) => number;

interface Scope {
  schema: GraphQLSchema;
  fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  /** By the name of the variable. */
  defaults: ReadonlyMap<string, ValueNode | undefined>;
}

/**
 * Finds out once how the entries of an operation's lists are counted. A page is as large as `first` says, and all that is
 * asked for of its entries is asked for as often; of a list without pages no more is known than that it is there, so it
 * counts as one entry. What `@include` and `@skip` say is not looked at.
 */
export function nodeCounter(
  { operation, selectionSet, variableDefinitions = [] }: OperationDefinitionNode,
  schema: GraphQLSchema,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): CountNodes {
  const defaults = new Map(
    variableDefinitions.map(({ variable, defaultValue }) => [variable.name.value, defaultValue]),
  );
  const root = schema.getRootType(operation);
  return sum(counters(selectionSet, root ?? undefined, false, { schema, fragments, defaults }));
}

/** The refusal of a request whose answer could be too large; `undefined` when it may be run. */
export function tooManyNodes(nodes: number, limits: DocumentLimits): GraphQLError | undefined {
  if (nodes <= limits.nodes) return undefined;
  return new GraphQLError(
    `The document has more than ${limits.nodes} entries of lists: ${nodes}, if all pages are full. Ask for fewer with first`,
    { extensions: { code: 'BAD_REQUEST', reason: tooComplex, details: { limit: 'nodes' } } },
  );
}

/** Of the fields of a selection set that have entries. `isPage` tells that its own list is counted already. */
function counters(
  { selections }: SelectionSetNode,
  type: GraphQLNamedType | undefined,
  isPage: boolean,
  scope: Scope,
): CountNodes[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return fieldCounter(selection, type, isPage, scope) ?? [];
    const fragment =
      selection.kind === Kind.INLINE_FRAGMENT ? selection : scope.fragments[selection.name.value];
    if (!fragment) return [];
    const condition = fragment.typeCondition?.name.value;
    const on = condition === undefined ? type : scope.schema.getType(condition);
    return counters(fragment.selectionSet, on, isPage, scope);
  });
}

function fieldCounter(
  node: FieldNode,
  type: GraphQLNamedType | undefined,
  isPage: boolean,
  scope: Scope,
): CountNodes | undefined {
  // A scalar, or a list of them, is one value of its entry.
  if (!node.selectionSet) return undefined;
  const field = type && 'getFields' in type ? type.getFields()[node.name.value] : undefined;
  if (!field || !('args' in field)) return undefined;
  const isList = isListType(getNullableType(field.type));
  const size = pageSize(node, field, scope) ?? (isList && !isPage ? one : undefined);
  const inner = counters(node.selectionSet, getNamedType(field.type), size !== undefined && !isList, scope);
  if (!size) return inner.length > 0 ? sum(inner) : undefined;
  if (inner.length === 0) return size;
  const each = sum(inner);
  return (variables) => size(variables) * (1 + each(variables));
}

const one: CountNodes = () => 1;

/** Where the field has pages. What is no size is as large as the largest here, and refused by the subgraph. */
function pageSize(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  scope: Scope,
): CountNodes | undefined {
  const argument = field.args.find(({ name }) => name === 'first');
  if (!argument) return undefined;
  const unlessTold = typeof argument.defaultValue === 'number' ? argument.defaultValue : defaultPageSize;
  const given = node.arguments?.find(({ name }) => name.value === 'first')?.value;
  if (given?.kind !== Kind.VARIABLE) {
    const size = sizeOf(given, unlessTold);
    return () => size;
  }
  const { value: name } = given.name;
  const otherwise = sizeOf(scope.defaults.get(name), unlessTold);
  return (variables) => {
    const told = variables[name];
    return typeof told === 'number' ? bounded(told) : otherwise;
  };
}

function sizeOf(value: ValueNode | undefined, unlessTold: number): number {
  return value?.kind === Kind.INT ? bounded(Number(value.value)) : unlessTold;
}

function bounded(size: number): number {
  return size >= 1 && size <= maxPageSize ? size : maxPageSize;
}

function sum(counts: readonly CountNodes[]): CountNodes {
  return (variables) => counts.reduce((total, count) => total + count(variables), 0);
}
