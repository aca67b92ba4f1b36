import {
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  Kind,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** Stands for a value that is not as the schema has it. */
export const unfit = Symbol('unfit');

/**
 * Makes of what one subgraph answered the answer to the client, or `unfit` when anything about it is out of order. What is
 * as the client is to have it already, as most is, stays the same object.
 */
export type Complete = (value: unknown) => unknown;

type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;
type Fields = Map<string, { type: GraphQLOutputType; children: SelectionSetNode[]; constant?: string }>;

/**
 * Compiles the completion of an operation whose every object is of a known type: each field looks up nothing at run
 * time. `undefined` where that is not so (interfaces, unions, directives), and Apollo's own has to do.
 */
export function compileCompletion(
  schema: GraphQLSchema,
  { operation, selectionSet }: OperationDefinitionNode,
  fragments: Fragments,
): Complete | undefined {
  const root = schema.getRootType(operation);
  return root ? object(root, [selectionSet], fragments) : undefined;
}

function object(
  type: GraphQLObjectType,
  selections: readonly SelectionSetNode[],
  fragments: Fragments,
): Complete | undefined {
  const fields: Fields = new Map();
  if (!selections.every((selection) => collect(type, selection, fragments, fields))) return undefined;
  const keys: string[] = [];
  const completions: Complete[] = [];
  for (const [key, { type: fieldType, children, constant }] of fields) {
    const complete = constant === undefined ? valueOf(fieldType, children, fragments) : () => constant;
    if (!complete) return undefined;
    keys.push(key);
    completions.push(complete);
  }
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return unfit;
    const given = value as Record<string, unknown>;
    let at = 0;
    for (const key in given) {
      if (key !== keys[at]) return remade(given, keys, completions);
      const completed = completions[at]!(given[key]);
      if (completed === unfit) return unfit;
      if (completed !== given[key]) return remade(given, keys, completions);
      at += 1;
    }
    return at === keys.length ? given : remade(given, keys, completions);
  };
}

/** With the fields that were asked for, in the order in which they were. */
function remade(
  given: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  completions: readonly Complete[],
): unknown {
  const made: Record<string, unknown> = {};
  for (const [at, key] of keys.entries()) {
    const completed = completions[at]!(given[key]);
    if (completed === unfit) return unfit;
    made[key] = completed;
  }
  return made;
}

/** Gathers the fields under their response keys; false when which of them apply is not known beforehand. */
function collect(
  type: GraphQLObjectType,
  { selections }: SelectionSetNode,
  fragments: Fragments,
  fields: Fields,
): boolean {
  return selections.every((selection) => {
    if (selection.directives && selection.directives.length > 0) return false;
    if (selection.kind !== Kind.FIELD) {
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
      if (!fragment || (fragment.directives?.length ?? 0) > 0) return false;
      const condition = fragment.typeCondition?.name.value ?? type.name;
      return condition === type.name && collect(type, fragment.selectionSet, fragments, fields);
    }
    const key = selection.alias?.value ?? selection.name.value;
    const field = type.getFields()[selection.name.value];
    const known = fields.get(key);
    if (key === '__proto__') return false;
    if (selection.name.value === '__typename' && !known) {
      fields.set(key, { type, children: [], constant: type.name });
    } else if (known) {
      if (selection.selectionSet) known.children.push(selection.selectionSet);
    } else if (field) {
      fields.set(key, { type: field.type, children: selection.selectionSet ? [selection.selectionSet] : [] });
    } else {
      return selection.name.value === '__typename';
    }
    return true;
  });
}

function valueOf(
  type: GraphQLOutputType,
  children: readonly SelectionSetNode[],
  fragments: Fragments,
): Complete | undefined {
  const complete = presentValueOf(isNonNullType(type) ? type.ofType : type, children, fragments);
  if (!complete) return undefined;
  const absent = isNonNullType(type) ? unfit : null;
  return (value) => (value === null || value === undefined ? absent : complete(value));
}

function presentValueOf(
  type: GraphQLOutputType,
  children: readonly SelectionSetNode[],
  fragments: Fragments,
): Complete | undefined {
  if (isListType(type)) {
    const item = valueOf(type.ofType, children, fragments);
    return item && ((value) => list(value, item));
  }
  if (isObjectType(type)) return object(type, children, fragments);
  if (isEnumType(type)) {
    const words = new Set<unknown>(type.getValues().map(({ name }) => name));
    return (value) => (words.has(value) ? value : unfit);
  }
  return isScalarType(type) ? leaf(type.name) : undefined;
}

function list(value: unknown, item: Complete): unknown {
  if (!Array.isArray(value)) return unfit;
  const given: readonly unknown[] = value;
  let made: unknown[] | undefined;
  for (let at = 0; at < given.length; at += 1) {
    const completed = item(given[at]);
    if (completed === unfit) return unfit;
    if (completed !== given[at]) made ??= given.slice(0, at);
    made?.push(completed);
  }
  return made ?? given;
}

function leaf(name: string): Complete {
  const isFit = builtIn[name];
  return isFit ? (value) => (isFit(value) ? value : unfit) : (value) => value;
}

const builtIn: Readonly<Record<string, (value: unknown) => boolean>> = {
  ID: (value) => typeof value === 'string',
  String: (value) => typeof value === 'string',
  Boolean: (value) => typeof value === 'boolean',
  Float: (value) => typeof value === 'number',
  Int: (value) => Number.isInteger(value),
};
