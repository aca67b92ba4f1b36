import type { PartnerStatus } from '../generated/graphql.ts';
import { oneOf, withoutEmpty } from '../parts/search.ts';

export const partnerStatuses: readonly PartnerStatus[] = ['PENDING', 'APPROVED', 'SUSPENDED', 'REJECTED'];

/** What the address says of the list. */
export interface PartnerSearch {
  status?: PartnerStatus;
}

export function partnerSearch({ status }: Record<string, unknown>): PartnerSearch {
  return withoutEmpty({ status: oneOf(partnerStatuses, status) });
}
