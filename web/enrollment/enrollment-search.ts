import { textOf, withoutEmpty } from '../parts/search.ts';

/** What the address says. */
export interface EnrollmentSearch {
  /** The name of a node that is here. */
  q?: string;
  /** The id of a token that is shown by itself. */
  token?: string;
}

export function enrollmentSearch({ q, token }: Record<string, unknown>): EnrollmentSearch {
  return withoutEmpty({ q: textOf(q), token: textOf(token) });
}
