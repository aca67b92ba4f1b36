import type { CanaryStatus } from '../generated/graphql.ts';
import { oneOf, withoutEmpty } from '../parts/search.ts';

export const canaryStatuses: readonly CanaryStatus[] = [
  'PAUSED',
  'PENDING',
  'RUNNING',
  'BAKING',
  'PROMOTING',
  'ABORTING',
  'SUCCEEDED',
  'ROLLED_BACK',
  'FAILED',
];

/** What the address says of the list. */
export interface CanarySearch {
  status?: CanaryStatus;
}

export function canarySearch({ status }: Record<string, unknown>): CanarySearch {
  return withoutEmpty({ status: oneOf(canaryStatuses, status) });
}
