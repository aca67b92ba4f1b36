import { textOf, withoutEmpty } from '../parts/search.ts';

/** What the address says: the name of a node that is here. */
export interface EnrollmentSearch {
  q?: string;
}

export function enrollmentSearch({ q }: Record<string, unknown>): EnrollmentSearch {
  return withoutEmpty({ q: textOf(q) });
}
