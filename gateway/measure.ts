import {
  BREAK,
  GraphQLError,
  Kind,
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
  visit,
} from 'graphql';

import type { DocumentLimits } from './limits.js';

type Measured =
  | 'depth'
  | 'introspectionDepth'
  | 'introspections'
  | 'introspectionLists'
  | 'introspectionListDepth'
  | 'fields'
  | 'aliases'
  | 'directives'
  | 'repeats';
type Measure = Record<Measured, number>;

/** The reason of every refusal here. */
export const tooComplex = 'DOCUMENT_TOO_COMPLEX';

const nothing: Measure = {
  depth: 0,
  introspectionDepth: 0,
  introspections: 0,
  introspectionLists: 0,
  introspectionListDepth: 0,
  fields: 0,
  aliases: 0,
  directives: 0,
  repeats: 0,
};

/** Lists of the schema that lead to types, and others. */
const typeLists = new Set(['types', 'fields', 'inputFields', 'interfaces', 'possibleTypes']);
const otherLists = new Set(['directives', 'args', 'enumValues']);

/** How each limit is called in the refusal. */
const words: Record<keyof DocumentLimits, string> = {
  characters: 'characters',
  tokens: 'tokens',
  depth: 'levels of fields',
  introspectionDepth: 'levels of introspection fields',
  introspections: 'introspection fields',
  introspectionLists: 'lists of the schema',
  introspectionListDepth: 'levels of lists of the schema',
  rootFields: 'root fields',
  fields: 'fields',
  aliases: 'aliases',
  directives: 'directives',
  fragments: 'fragments',
  variables: 'variables',
  operations: 'operations',
  valueDepth: 'levels of values',
  nodes: 'entries of lists',
  repeats: 'repeated fields',
};

/** The refusal of a document that is over a limit; `undefined` when it may be validated and planned. */
export function overLimit(document: DocumentNode, limits: DocumentLimits): GraphQLError | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  if (fragments.size > limits.fragments) return tooMuch('fragments', limits);
  if (document.definitions.length - fragments.size > limits.operations) return tooMuch('operations', limits);
  const tooDeep = deeperValue(document, limits.valueDepth);
  if (tooDeep) return tooMuch('valueDepth', limits, tooDeep);

  const meter = new Meter(fragments);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    if ((definition.variableDefinitions?.length ?? 0) > limits.variables) return tooMuch('variables', limits);
    const measure = meter.selectionSet(definition.selectionSet);
    const rootFields = meter.width(definition.selectionSet);
    const found = {
      ...measure,
      rootFields,
      directives: measure.directives + (definition.directives?.length ?? 0),
    };
    for (const [limit, amount] of Object.entries(found) as [keyof typeof found, number][]) {
      if (amount > limits[limit]) return tooMuch(limit, limits);
    }
  }
  return undefined;
}

/** The fields of an operation, with fragments followed as often as they are spread. */
export function countFields(
  { selectionSet }: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): number {
  return new Meter(new Map(Object.entries(fragments))).selectionSet(selectionSet).fields;
}

export function tooMuch(limit: keyof DocumentLimits, limits: DocumentLimits, at?: ASTNode): GraphQLError {
  return new GraphQLError(`The document has more than ${limits[limit]} ${words[limit]}`, {
    nodes: at ?? null,
    extensions: { code: 'BAD_REQUEST', reason: tooComplex, details: { limit } },
  });
}

/**
 * Measures selection sets with fragments followed. Each fragment is measured once, so that fragments that double at
 * every level cost nothing here; a cycle counts as empty and is left for validation to refuse.
 */
class Meter {
  private readonly measured = new Map<string, Measure>();
  private readonly widths = new Map<string, number>();

  constructor(private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>) {}

  /** `isOfSchema` below `__schema` and `__type`, whose types are the only ones that begin with two underscores. */
  selectionSet(selectionSet: SelectionSetNode, isOfSchema = false, seen = new Set<string>()): Measure {
    const total = { ...nothing };
    for (const selection of selectionSet.selections) {
      const directives = selection.directives?.length ?? 0;
      total.directives += directives;
      if (selection.kind === Kind.FIELD) {
        const responseName = (selection.alias ?? selection.name).value;
        if (seen.has(responseName)) total.repeats += 1;
        seen.add(responseName);
        add(total, this.field(selection, isOfSchema));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        add(total, this.selectionSet(selection.selectionSet, isOfSchema, seen));
      } else {
        add(total, this.fragment(selection.name.value));
      }
    }
    return total;
  }

  /** Fields of this selection set itself. */
  width(selectionSet: SelectionSetNode): number {
    return selectionSet.selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FIELD) return sum + 1;
      if (selection.kind === Kind.INLINE_FRAGMENT) return sum + this.width(selection.selectionSet);
      return sum + this.fragmentWidth(selection.name.value);
    }, 0);
  }

  private field(field: FieldNode, isOfSchema: boolean): Measure {
    const name = field.name.value;
    const isIntrospection = name === '__schema' || name === '__type';
    const inner = field.selectionSet
      ? this.selectionSet(field.selectionSet, isOfSchema || isIntrospection)
      : nothing;
    const isTypeList = isOfSchema && typeLists.has(name);
    const isList = isTypeList || (isOfSchema && otherLists.has(name));
    return {
      ...inner,
      depth: isIntrospection ? 1 : inner.depth + 1,
      introspectionDepth: isIntrospection ? inner.depth + 1 : inner.introspectionDepth,
      introspections: inner.introspections + (isIntrospection ? 1 : 0),
      introspectionLists: inner.introspectionLists + (isList ? 1 : 0),
      introspectionListDepth: inner.introspectionListDepth + (isTypeList ? 1 : 0),
      fields: inner.fields + 1,
      aliases: inner.aliases + (field.alias ? 1 : 0),
    };
  }

  private fragment(name: string): Measure {
    const known = this.measured.get(name);
    if (known) return known;
    this.measured.set(name, nothing);
    const fragment = this.fragments.get(name);
    const isOfSchema = fragment?.typeCondition.name.value.startsWith('__') ?? false;
    const measure = fragment ? this.selectionSet(fragment.selectionSet, isOfSchema) : nothing;
    this.measured.set(name, measure);
    return measure;
  }

  private fragmentWidth(name: string): number {
    const known = this.widths.get(name);
    if (known !== undefined) return known;
    this.widths.set(name, 0);
    const fragment = this.fragments.get(name);
    const width = fragment ? this.width(fragment.selectionSet) : 0;
    this.widths.set(name, width);
    return width;
  }
}

/** Depths are the deepest of the parts, amounts their sum. */
function add(total: Measure, part: Measure): void {
  total.depth = Math.max(total.depth, part.depth);
  total.introspectionDepth = Math.max(total.introspectionDepth, part.introspectionDepth);
  total.introspectionListDepth = Math.max(total.introspectionListDepth, part.introspectionListDepth);
  total.introspections += part.introspections;
  total.introspectionLists += part.introspectionLists;
  total.fields += part.fields;
  total.aliases += part.aliases;
  total.directives += part.directives;
  total.repeats += part.repeats;
}

/** A value in the document that is nested deeper, if there is one. */
function deeperValue(document: DocumentNode, deepest: number): ValueNode | undefined {
  let depth = 0;
  let found: ValueNode | undefined;
  const nested = {
    enter: (node: ValueNode) => {
      depth += 1;
      if (depth > deepest) found = node;
      return found ? BREAK : undefined;
    },
    leave: () => {
      depth -= 1;
    },
  };
  visit(document, { ListValue: nested, ObjectValue: nested });
  return found;
}
