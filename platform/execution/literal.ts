import {
  getNullableType,
  isInputObjectType,
  isNonNullType,
  Kind,
  valueFromAST,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type ObjectValueNode,
  type ValueNode,
} from 'graphql';

type Values = Readonly<Record<string, unknown>>;

/** What a value in a document comes to with these variables, or `undefined` where there is something wrong with it. */
export type ReadLiteral = (variables: Values) => unknown;

/**
 * `valueFromAST` of graphql-js, with what can be known of a value found out once where it is a variable, or an object that
 * may hold some.
 */
export function literalReader(node: ValueNode, type: GraphQLInputType): ReadLiteral {
  if (node.kind === Kind.VARIABLE) return variableReader(node.name.value, isNonNullType(type));
  const present = getNullableType(type);
  if (node.kind === Kind.OBJECT && isInputObjectType(present)) return objectReader(node, present);
  return (variables) => valueFromAST(node, type, variables as Record<string, unknown>);
}

function variableReader(name: string, isNonNull: boolean): ReadLiteral {
  return (variables) => {
    const value = valueOf(variables, name);
    return value === null && isNonNull ? undefined : value;
  };
}

function valueOf(variables: Values, name: string): unknown {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function objectReader({ fields: given }: ObjectValueNode, type: GraphQLInputObjectType): ReadLiteral {
  const nodes = new Map(given.map(({ name, value }) => [name.value, value]));
  const fields = Object.values(type.getFields()).map(({ name, type: fieldType, defaultValue }) => {
    const node = nodes.get(name);
    return {
      name,
      variable: node?.kind === Kind.VARIABLE ? node.name.value : undefined,
      read: node && literalReader(node, fieldType),
      otherwise: defaultValue,
      isNonNull: isNonNullType(fieldType),
    };
  });
  return (variables) => {
    const made = Object.create(null) as Record<string, unknown>;
    for (const { name, variable, read, otherwise, isNonNull } of fields) {
      if (read && (variable === undefined || valueOf(variables, variable) !== undefined)) {
        const value = read(variables);
        if (value === undefined) return undefined;
        made[name] = value;
      } else if (otherwise !== undefined) made[name] = otherwise;
      else if (isNonNull) return undefined;
    }
    return type.isOneOf && !isOne(made) ? undefined : made;
  };
}

function isOne(made: Values): boolean {
  const values = Object.values(made);
  return values.length === 1 && values[0] !== null;
}
