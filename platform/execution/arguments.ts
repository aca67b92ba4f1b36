import { getArgumentValues, isNonNullType, Kind, type FieldNode, type GraphQLField } from 'graphql';

import { literalReader, type ReadLiteral } from './literal.js';
import type { Run } from './run.js';

/** The arguments for one call of a resolver, which may do with the object as it likes. Throws as graphql-js does. */
export type ReadArguments = (run: Run) => Record<string, unknown>;

type Field = GraphQLField<unknown, unknown>;
type Values = Record<string, unknown>;

interface Argument {
  name: string;
  /** Absent where the document does not give it. */
  read: ReadLiteral | undefined;
  /** Of the variable that stands for it. */
  variable: string | undefined;
  otherwise: unknown;
  isNonNull: boolean;
}

/** Arguments are coerced at the first call of a run; rows after the first get copies. */
export function argumentsReader(field: Field, node: FieldNode, nextSlot: () => number): ReadArguments {
  if (field.args.length === 0) return () => ({});
  const slot = nextSlot();
  const known = compileArguments(field, node);
  const canBeShared = shareability(node);
  return (run) => {
    const coerced = run.coerced[slot];
    if (coerced) return { ...coerced };
    // It has the words for what is wrong.
    const values = (known && read(known, run.variables)) ?? getArgumentValues(field, node, run.variables);
    if (canBeShared(values)) run.coerced[slot] = { ...values };
    return values;
  };
}

/** `undefined` where a plain object has one of the names already. */
function compileArguments({ args }: Field, { arguments: given = [] }: FieldNode): Argument[] | undefined {
  if (args.some(({ name }) => name === '__proto__')) return undefined;
  const nodes = new Map(given.map(({ name, value }) => [name.value, value]));
  return args.map(({ name, type, defaultValue }) => {
    const value = nodes.get(name);
    return {
      name,
      read: value && literalReader(value, type),
      variable: value?.kind === Kind.VARIABLE ? value.name.value : undefined,
      otherwise: defaultValue,
      isNonNull: isNonNullType(type),
    };
  });
}

/** `undefined` where graphql-js would find something wrong. */
function read(known: readonly Argument[], variables: Values): Values | undefined {
  const values: Values = {};
  for (const { name, read: readValue, variable, otherwise, isNonNull } of known) {
    if (readValue && (variable === undefined || Object.hasOwn(variables, variable))) {
      const value = readValue(variables);
      if (value === undefined) return undefined;
      values[name] = value;
    } else if (otherwise !== undefined) values[name] = otherwise;
    else if (isNonNull) return undefined;
  }
  return values;
}

/** Values that graphql-js shares between calls too: a variable's, a default's. Those of literals are each call's own. */
function shareability({ arguments: given = [] }: FieldNode): (values: Values) => boolean {
  const literals = given.filter(({ value }) => value.kind !== Kind.VARIABLE).map(({ name }) => name.value);
  return (values) => literals.every((name) => typeof values[name] !== 'object' || values[name] === null);
}
