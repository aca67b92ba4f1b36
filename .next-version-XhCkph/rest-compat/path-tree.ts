/** What stands at the end of a path: one value per method, and what was in the place of its parameters. */
export interface Found<T> {
  methods: ReadonlyMap<string, T>;
  params: readonly string[];
}

interface Branch<T> {
  literal: Map<string, Branch<T>>;
  param?: Branch<T>;
  methods: Map<string, T>;
}

/** Finds a path among templates such as /api/fleet/tokens/:id. A literal segment wins over a parameter. */
export class PathTree<T> {
  private readonly root: Branch<T> = newBranch();

  add(method: string, path: string, value: T): void {
    let branch = this.root;
    for (const segment of segmentsOf(path)) {
      if (segment.startsWith(':')) branch = branch.param ??= newBranch();
      else {
        const next = branch.literal.get(segment) ?? newBranch();
        branch.literal.set(segment, next);
        branch = next;
      }
    }
    if (branch.methods.has(method)) throw new Error(`${method} ${path} is in the table twice`);
    branch.methods.set(method, value);
  }

  /** Throws URIError when the path is not well percent-encoded. */
  find(path: string): Found<T> | undefined {
    // Split first: an encoded slash is part of a value, not a separator.
    return search(this.root, segmentsOf(path).map(decodeURIComponent), 0, []);
  }
}

function search<T>(
  branch: Branch<T>,
  segments: readonly string[],
  at: number,
  params: readonly string[],
): Found<T> | undefined {
  const segment = segments[at];
  if (segment === undefined) return branch.methods.size > 0 ? { methods: branch.methods, params } : undefined;
  const literal = branch.literal.get(segment);
  const found = literal && search(literal, segments, at + 1, params);
  if (found || !branch.param || segment === '') return found;
  return search(branch.param, segments, at + 1, [...params, segment]);
}

function newBranch<T>(): Branch<T> {
  return { literal: new Map(), methods: new Map() };
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1);
}
