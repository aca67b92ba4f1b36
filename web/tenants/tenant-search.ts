import type { Plan, TenantStatus } from '../generated/graphql.ts';
import { oneOf, textOf, withoutEmpty } from '../parts/search.ts';

export const plans: readonly Plan[] = ['FREE', 'PRO', 'ENTERPRISE'];
export const tenantStatuses: readonly TenantStatus[] = ['ACTIVE', 'SUSPENDED'];

/** What the address says of the list. */
export interface TenantSearch {
  q?: string;
  plan?: Plan;
  status?: TenantStatus;
}

export function tenantSearch({ q, plan, status }: Record<string, unknown>): TenantSearch {
  return withoutEmpty({ q: textOf(q), plan: oneOf(plans, plan), status: oneOf(tenantStatuses, status) });
}
