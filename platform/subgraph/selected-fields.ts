import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql';

type Asked = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>;

// Whoever executes an operation again gives the same nodes again.
const known = new WeakMap<Asked['fieldNodes'], Map<string, ReadonlySet<string>>>();

/**
 * The names of the fields that are asked for under `path` below the field being resolved, such as `['nodes']` of a page.
 * What a type condition or a directive may yet leave out counts as asked for.
 */
export function selectedFields(asked: Asked, path: readonly string[]): ReadonlySet<string> {
  let byPath = known.get(asked.fieldNodes);
  if (!byPath) known.set(asked.fieldNodes, (byPath = new Map()));
  const key = path.join('.');
  let fields = byPath.get(key);
  if (!fields) byPath.set(key, (fields = find(asked, path)));
  return fields;
}

function find({ fieldNodes, fragments }: Asked, path: readonly string[]): ReadonlySet<string> {
  let fields = fieldNodes.flatMap((field) => below(field, fragments));
  for (const step of path) {
    fields = fields.filter(({ name }) => name.value === step).flatMap((field) => below(field, fragments));
  }
  return new Set(fields.map(({ name }) => name.value));
}

function below({ selectionSet }: FieldNode, fragments: Asked['fragments']): FieldNode[] {
  const seen = new Set<string>();
  const fieldsOf = ({ selections }: SelectionSetNode): FieldNode[] =>
    selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection];
      if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsOf(selection.selectionSet);
      // Spread again it adds nothing, and fragments that spread others twice each would take for ever.
      const name = selection.name.value;
      if (seen.has(name)) return [];
      seen.add(name);
      return fragments[name] ? fieldsOf(fragments[name].selectionSet) : [];
    });
  return selectionSet ? fieldsOf(selectionSet) : [];
}
