/**
 * How a route answers when its operation succeeds. `page` is a 200 whose body is the page's nodes, and `list` one whose
 * body is a list that GraphQL answers whole: it is cut into pages here.
 */
export type Reply =
  | typeof ok
  | typeof created
  | typeof accepted
  | typeof noContent
  | typeof page
  | typeof list;

export const ok = { verb: 'ok', status: 200 } as const;
export const created = { verb: 'created', status: 201 } as const;
export const accepted = { verb: 'accepted', status: 202 } as const;
export const noContent = { verb: 'noContent', status: 204 } as const;
export const page = { verb: 'page', status: 200 } as const;
export const list = { verb: 'list', status: 200 } as const;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Everything a row may say. There is no place for a function, on purpose: shaping belongs in the document. */
export interface RouteOptions {
  reply: Reply;
  /** Query parameters that become variables of the same name. `page` adds limit and cursor (`$first`, `$after`), `list` too, without variables for them. */
  query?: readonly string[];
  /** Query parameters that the row does not name are refused, except where OAuth demands otherwise (RFC 6749, 3.1). */
  unknownQuery?: 'ignored';
  /** The one variable that takes the JSON body. */
  body?: string;
  /** The contract's *public*: answered without an Authorization header. */
  public?: true;
  /** Dot paths left out of the answer when null; lists on the way are traversed. In a page they start at a node. */
  omitNull?: readonly string[];
  /** Alias of a field, beside `reply` or in it, to the header that carries it instead of the body. */
  headers?: Readonly<Record<string, string>>;
  /** Errors as RFC 6749 has them. */
  errors?: 'oauth';
  /** The body may be a form as well as JSON. */
  accept?: 'form';
}

/** One row of the table: a published route and the document that answers it. */
export interface Route extends RouteOptions {
  readonly method: Method;
  readonly path: string;
  /** `<area>/<VerbNoun>`, the file under operations/ without its extension. */
  readonly document: string;
  /** The `:name` segments of the path, in order. */
  readonly params: readonly string[];
}

/** Writes one row. The path is absolute; each `:name` in it becomes the variable of that name. */
export function route(method: Method, path: string, document: string, options: RouteOptions): Route {
  const params = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  return { ...options, method, path, document, params };
}
