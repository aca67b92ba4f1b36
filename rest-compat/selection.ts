import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';

/** What a document selects, fragments merged, by response key. Leaves have no children. */
export type Selection = ReadonlyMap<string, SelectedField>;

export interface SelectedField {
  type: GraphQLOutputType;
  description?: string;
  children?: Selection;
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;
type Part = readonly [parent: GraphQLCompositeType, selections: SelectionSetNode];

/**
 * Merges every selection on the given parts. Type conditions are followed but not kept: validation has made sure that
 * fields under one response key have the same shape whatever the type turns out to be.
 */
export function selectionOf(schema: GraphQLSchema, fragments: Fragments, parts: readonly Part[]): Selection {
  const found = new Map<string, SelectedField & { parts: Part[] }>();
  const queue = [...parts];
  for (let part = queue.shift(); part; part = queue.shift()) {
    const [parent, { selections }] = part;
    for (const node of selections) {
      if (node.kind === Kind.FIELD) {
        const definition = fieldOf(parent, node.name.value);
        if (!definition) continue;
        const { type, description } = definition;
        const key = node.alias?.value ?? node.name.value;
        const field = found.get(key) ?? { type, ...(description ? { description } : {}), parts: [] };
        found.set(key, field);
        const named = getNamedType(type);
        if (node.selectionSet && isCompositeType(named)) field.parts.push([named, node.selectionSet]);
        continue;
      }
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
      if (!fragment) continue;
      const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
      queue.push([isCompositeType(condition) ? condition : parent, fragment.selectionSet]);
    }
  }
  return new Map(
    [...found].map(([key, { parts: nested, ...field }]) => [
      key,
      nested.length === 0 ? field : { ...field, children: selectionOf(schema, fragments, nested) },
    ]),
  );
}

/** Undefined for `__typename`, which is always shown as it is. */
function fieldOf(parent: GraphQLCompositeType, name: string): GraphQLField<unknown, unknown> | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}

/** Whether a dot path of response keys is selected. */
export function selects(selection: Selection | undefined, path: string): boolean {
  let at = selection;
  return path.split('.').every((key) => {
    const field = at?.get(key);
    at = field?.children;
    return field !== undefined;
  });
}
