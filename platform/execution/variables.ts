import {
  getVariableValues,
  isInputType,
  isNonNullType,
  typeFromAST,
  valueFromAST,
  type GraphQLSchema,
  type NamedTypeNode,
  type VariableDefinitionNode,
} from 'graphql';

import { coercionOf, unfit, type Coerce } from './input.js';

/** The variables of one operation as resolvers are given them, or `unfit` where graphql-js would find something wrong. */
type ReadVariables = (given: Readonly<Record<string, unknown>>) => Record<string, unknown> | typeof unfit;

interface Variable {
  name: string;
  coerce: Coerce;
  isNonNull: boolean;
  /** Makes what stands for it where it is not given, each time anew as graphql-js does. */
  otherwise: (() => unknown) | undefined;
}

/** Finds out once what the variables of an operation are. `undefined` where one of them is of no type for input. */
function compileVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
): ReadVariables | undefined {
  const variables: Variable[] = [];
  for (const { variable, type: node, defaultValue } of definitions) {
    const type = typeFromAST(schema, node as NamedTypeNode);
    // A plain object has one key of this name already.
    if (!isInputType(type) || variable.name.value === '__proto__') return undefined;
    variables.push({
      name: variable.name.value,
      coerce: coercionOf(type),
      isNonNull: isNonNullType(type),
      otherwise: defaultValue && (() => valueFromAST(defaultValue, type)),
    });
  }
  return (given) => {
    const coerced: Record<string, unknown> = {};
    for (const { name, coerce, isNonNull, otherwise } of variables) {
      if (Object.hasOwn(given, name)) {
        const value = coerce(given[name]);
        if (value === unfit) return unfit;
        coerced[name] = value;
      } else if (otherwise) {
        coerced[name] = otherwise();
      } else if (isNonNull) {
        return unfit;
      }
    }
    return coerced;
  };
}

type VariableValues = ReturnType<typeof getVariableValues>;

/** `getVariableValues` of graphql-js for the operations of one schema, with what can be known of each found out once. */
class VariableReader {
  private readonly known = new WeakMap<readonly VariableDefinitionNode[], ReadVariables | 'none'>();

  constructor(private readonly schema: GraphQLSchema) {}

  values(
    definitions: readonly VariableDefinitionNode[],
    given: Readonly<Record<string, unknown>>,
    options: { maxErrors: number },
  ): VariableValues {
    let read = this.known.get(definitions);
    if (!read) this.known.set(definitions, (read = compileVariables(this.schema, definitions) ?? 'none'));
    const coerced = read === 'none' ? unfit : read(given);
    return coerced === unfit ? getVariableValues(this.schema, definitions, given, options) : { coerced };
  }
}

const readers = new WeakMap<GraphQLSchema, VariableReader>();

/** The one reader of a schema. */
export function variableReader(schema: GraphQLSchema): VariableReader {
  let reader = readers.get(schema);
  if (!reader) readers.set(schema, (reader = new VariableReader(schema)));
  return reader;
}
