import {
  astFromValue,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  OperationTypeNode,
  print,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedOutputType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';

/** One field of Query, Mutation or Subscription. */
export interface RootField {
  /** As in `Query.instance`. */
  coordinate: string;
  kind: OperationTypeNode;
  field: GraphQLField<unknown, unknown>;
}

/** A document with its variables, ready to be sent. */
export interface Call {
  query: string;
  variables: Record<string, unknown>;
}

/** Every operation of a schema, without those that federation adds to each subgraph. */
export function rootFields(schema: GraphQLSchema): RootField[] {
  return Object.values(OperationTypeNode).flatMap((kind) => {
    const type = schema.getRootType(kind);
    return Object.values(type?.getFields() ?? {})
      .filter(({ name }) => !name.startsWith('_'))
      .map((field) => ({ coordinate: `${type!.name}.${field.name}`, kind, field }));
  });
}

/** Builds the value of a required argument of a field below the root; the owner's type is named for the rules. */
export type ValueOf = (owner: string, argument: GraphQLArgument) => unknown;

const deepest = 4;

/** The least that can be asked for: the root field is run, and nothing below it. */
export function leastOf(output: GraphQLOutputType): string {
  return isLeafType(getNamedType(output)) ? '' : '{ __typename }';
}

/** Everything that can be asked for, short of going round in circles. */
export function allOf(output: GraphQLOutputType, schema: GraphQLSchema, valueOf: ValueOf): string {
  const below = (type: GraphQLNamedOutputType, above: readonly string[]): string => {
    if (isLeafType(type)) return '';
    if (isAbstractType(type)) {
      const parts = schema.getPossibleTypes(type).map((one) => `... on ${one.name} ${below(one, above)}`);
      return `{ __typename ${parts.join(' ')} }`;
    }
    const parts = Object.values(type.getFields()).flatMap((field) => {
      const inner = getNamedType(field.type);
      const name = field.name + literals(type.name, field, valueOf);
      if (isLeafType(inner)) return [name];
      if (above.includes(inner.name) || above.length >= deepest) return [];
      return [`${name} ${below(inner, [...above, inner.name])}`];
    });
    return `{ __typename ${parts.join(' ')} }`;
  };
  const named = getNamedType(output);
  return below(named, isObjectType(named) ? [named.name] : []);
}

function literals(owner: string, field: GraphQLField<unknown, unknown>, valueOf: ValueOf): string {
  const parts = field.args.filter(isRequiredArgument).map((argument) => {
    const value = astFromValue(valueOf(owner, argument), argument.type);
    return `${argument.name}: ${value ? print(value) : 'null'}`;
  });
  return parts.length === 0 ? '' : `(${parts.join(', ')})`;
}

/** One call of a root field with these arguments. */
export function callOf({ kind, field }: RootField, args: Record<string, unknown>, selection: string): Call {
  const given = field.args.filter(({ name }) => name in args);
  const definitions = given.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const uses = given.map(({ name }) => `${name}: $${name}`).join(', ');
  const wrapped = (text: string) => (text === '' ? '' : `(${text})`);
  return {
    query: `${kind}${wrapped(definitions)} { ${field.name}${wrapped(uses)} ${selection} }`,
    variables: args,
  };
}
