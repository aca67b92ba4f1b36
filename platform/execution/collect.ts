import {
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  Kind,
  typeFromAST,
  visit,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type InlineFragmentNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

import type { Definition } from './run.js';

/** Variables that decide which fields there are, and their values. */
export type Conditions = Readonly<Record<string, unknown>>;

/** What has to be known of a document before any operation of it is compiled. */
export interface DocumentTraits {
  /** The names of the variables that some `@skip` or `@include` asks. */
  conditions: readonly string[];
  /** Whether a key of the answer is one that plain objects can not have. */
  hasOddKeys: boolean;
}

export function traitsOf(document: DocumentNode): DocumentTraits {
  const conditions = new Set<string>();
  let hasOddKeys = false;
  visit(document, {
    Field: ({ alias, name }) => {
      if ((alias ?? name).value === '__proto__') hasOddKeys = true;
    },
    Directive: ({ name, arguments: given = [] }) => {
      if (name.value !== GraphQLSkipDirective.name && name.value !== GraphQLIncludeDirective.name) return;
      for (const { value } of given) if (value.kind === Kind.VARIABLE) conditions.add(value.name.value);
    },
  });
  return { conditions: [...conditions].toSorted(), hasOddKeys };
}

/** The fields of an object of this type by response key, as graphql-js collects them; throws as it does. */
export function collectFields(
  definition: Definition,
  conditions: Conditions,
  type: GraphQLObjectType,
  selectionSets: readonly (SelectionSetNode | undefined)[],
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  const spread = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        if (!isIncluded(selection, conditions)) continue;
        const key = (selection.alias ?? selection.name).value;
        const known = fields.get(key);
        if (known) known.push(selection);
        else fields.set(key, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (isIncluded(selection, conditions) && applies(definition, selection, type)) {
          collect(selection.selectionSet);
        }
      } else {
        const name = selection.name.value;
        if (spread.has(name) || !isIncluded(selection, conditions)) continue;
        spread.add(name);
        const fragment = definition.fragments[name];
        if (fragment && applies(definition, fragment, type)) collect(fragment.selectionSet);
      }
    }
  };
  for (const selectionSet of selectionSets) if (selectionSet) collect(selectionSet);
  return fields;
}

function isIncluded(node: SelectionNode, conditions: Conditions): boolean {
  if (!node.directives || node.directives.length === 0) return true;
  if (getDirectiveValues(GraphQLSkipDirective, node, conditions)?.if === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, conditions)?.if !== false;
}

function applies(
  { schema }: Definition,
  { typeCondition }: FragmentDefinitionNode | InlineFragmentNode,
  type: GraphQLObjectType,
): boolean {
  if (!typeCondition) return true;
  const condition = typeFromAST(schema, typeCondition);
  return condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
}
