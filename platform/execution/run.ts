import type {
  FragmentDefinitionNode,
  GraphQLError,
  GraphQLSchema,
  OperationDefinitionNode,
  ResponsePath,
} from 'graphql';

/** What every run of one operation has in common. */
export interface Definition {
  schema: GraphQLSchema;
  operation: OperationDefinitionNode;
  fragments: Record<string, FragmentDefinitionNode>;
}

/** One run of an operation: what its resolvers are given, and what went wrong so far. */
export class Run {
  readonly errors: GraphQLError[] = [];
  /** Arguments that were coerced already, by the slot of their field. */
  readonly coerced: (Record<string, unknown> | undefined)[] = [];
  private readonly nulled = new Set<ResponsePath | undefined>();

  constructor(
    readonly definition: Definition,
    readonly context: unknown,
    readonly rootValue: unknown,
    readonly variables: Record<string, unknown>,
  ) {}

  /** Notes an error for which the place at `path` becomes null, unless that place is gone already. */
  add(error: GraphQLError, path: ResponsePath | undefined): void {
    for (let at = path; at !== undefined; at = at.prev) if (this.nulled.has(at)) return;
    if (this.nulled.has(undefined)) return;
    this.nulled.add(path);
    this.errors.push(error);
  }
}

export function pathAsArray(path: ResponsePath | undefined): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at = path; at !== undefined; at = at.prev) keys.push(at.key);
  return keys.reverse();
}
