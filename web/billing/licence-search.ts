import type { LicenceStatus } from '../generated/graphql.ts';
import { oneOf, withoutEmpty } from '../parts/search.ts';

export const licenceStatuses = ['ACTIVE', 'EXPIRED'] as const satisfies readonly LicenceStatus[];

/** What the address says of the list. */
export interface LicenceSearch {
  status?: LicenceStatus;
}

export function licenceSearch({ status }: Record<string, unknown>): LicenceSearch {
  return withoutEmpty({ status: oneOf(licenceStatuses, status) });
}
