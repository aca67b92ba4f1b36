import { oneOf, textOf, withoutEmpty } from '../parts/search.ts';

export const clientKinds = ['attention', 'active', 'suspended'] as const;

/** What the address says of the list. */
export interface ClientSearch {
  q?: string;
  kind?: (typeof clientKinds)[number];
}

export function clientSearch({ q, kind }: Record<string, unknown>): ClientSearch {
  return withoutEmpty({ q: textOf(q), kind: oneOf(clientKinds, kind) });
}
