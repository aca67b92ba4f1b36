import { getArgumentValues, Kind, type FieldNode, type GraphQLField } from 'graphql';

import type { Run } from './run.js';

/** The arguments for one call of a resolver, which may do with the object as it likes. Throws as graphql-js does. */
export type ReadArguments = (run: Run) => Record<string, unknown>;

type Field = GraphQLField<unknown, unknown>;

/** Arguments are coerced at the first call of a run; rows after the first get copies. */
export function argumentsReader(field: Field, node: FieldNode, nextSlot: () => number): ReadArguments {
  if (field.args.length === 0) return () => ({});
  const slot = nextSlot();
  return (run) => {
    const known = run.coerced[slot];
    if (known) return { ...known };
    const values = getArgumentValues(field, node, run.variables);
    if (isShareable(node, values)) run.coerced[slot] = { ...values };
    return values;
  };
}

/** Values that graphql-js shares between calls too: a variable's, a default's. Those of literals are each call's own. */
function isShareable({ arguments: given = [] }: FieldNode, values: Record<string, unknown>): boolean {
  return given.every(({ name, value }) => {
    const coerced = values[name.value];
    return value.kind === Kind.VARIABLE || typeof coerced !== 'object' || coerced === null;
  });
}
