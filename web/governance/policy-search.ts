import type { RemediationStatus } from '../generated/graphql.ts';
import { oneOf, withoutEmpty } from '../parts/search.ts';

/** All there are, which the compiler sees to. */
const statuses = {
  REQUESTED: true,
  SENT: true,
  SUCCEEDED: true,
  FAILED: true,
  UNREACHED: true,
  REFUSED: true,
} satisfies Record<RemediationStatus, true>;
export const remediationStatuses = Object.keys(statuses) as RemediationStatus[];

/** What the address says of one policy: which of its remedies are shown. */
export interface PolicySearch {
  remedies?: RemediationStatus;
}

export function policySearch({ remedies }: Record<string, unknown>): PolicySearch {
  return withoutEmpty({ remedies: oneOf(remediationStatuses, remedies) });
}
