import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';

/** A fetch whose equal entity representations were made one, and the way back. */
export interface UniqueFetch {
  variables: Record<string, unknown>;
  /**
   * Gives every representation that was asked for its answer. Equal ones share it: what the plan's later steps write
   * into it follows from what it holds, and so is the same for all of them.
   */
  spread(result: FormattedExecutionResult): FormattedExecutionResult;
}

/** Leaves out equal representations; `undefined` when there is nothing to leave out. */
export function uniqueRepresentations(
  variables: Record<string, unknown> | undefined,
): UniqueFetch | undefined {
  const asked = variables?.representations;
  if (!Array.isArray(asked) || asked.length < 2) return undefined;

  const indexes = new Map<string, number>();
  const unique: unknown[] = [];
  const positions = asked.map((representation: unknown) => {
    const key = JSON.stringify(representation);
    let index = indexes.get(key);
    if (index === undefined) {
      index = unique.push(representation) - 1;
      indexes.set(key, index);
    }
    return index;
  });
  if (unique.length === asked.length) return undefined;
  return {
    variables: { ...variables, representations: unique },
    spread: (result) => spread(result, positions),
  };
}

function spread(result: FormattedExecutionResult, positions: readonly number[]): FormattedExecutionResult {
  const entities = result.data?._entities;
  const errors = result.errors?.flatMap((error) => spreadError(error, positions));
  return {
    ...result,
    ...(errors ? { errors } : {}),
    ...(Array.isArray(entities)
      ? { data: { ...result.data, _entities: positions.map((index) => entities[index]) } }
      : {}),
  };
}

function spreadError(error: GraphQLFormattedError, positions: readonly number[]): GraphQLFormattedError[] {
  const [root, at, ...rest] = error.path ?? [];
  if (root !== '_entities' || typeof at !== 'number') return [error];
  return positions.flatMap((index, position) =>
    index === at ? [{ ...error, path: [root, position, ...rest] }] : [],
  );
}
