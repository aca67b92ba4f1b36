import type { Plan } from '#platform/entitlement/plans.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';

import { normalEmail } from '../user/email-address.js';
import {
  TenantStatus,
  tenantFilterRules,
  type ListedTenant,
  type TenantFilter,
  type TenantSuspender,
} from './listed-tenant.js';

interface Row {
  id: string;
  name: string;
  plan: Plan;
  suspended_at: Date | string | null;
  created_at: Date | string;
  provider_id: string | null;
  owners: { id: string; email: string }[];
  suspended_by: TenantSuspender[];
  erase_at: Date | string | null;
}

/** Finds tenants for the platform's administrators, in the order in which they were made. */
export class TenantSearch {
  /** The database answers administrators only, whatever is believed of the viewer here. */
  async page(operation: Operation, filter: TenantFilter, args: PageArgs): Promise<Page<ListedTenant>> {
    const { userId } = operation.requireUser();
    const window = pageWindow(args);
    const { search, plan, status } = validate(tenantFilterRules, filter, 'filter');
    const wanted = [
      userId,
      ...searchOf(search),
      plan ?? null,
      status == null ? null : status === TenantStatus.SUSPENDED,
    ];
    const rows = await operation.em.execute<Row[]>(
      'select * from identity.list_tenants_and_closings(?, ?, ?, ?, ?, ?::boolean, ?, ?::integer)',
      [...wanted, window.after ?? null, window.size + 1],
    );
    return toPage(rows.map(toListed), window, async () => {
      const [count] = await operation.em.execute<{ count: string | number }[]>(
        'select count(*) as count from identity.find_tenants(?, ?, ?, ?, ?, ?::boolean, null, null)',
        wanted,
      );
      return Number(count?.count ?? 0);
    });
  }
}

/** Words of the name, the id, and a pattern for the address; nulls where nothing is looked for. */
function searchOf(search: string | null | undefined): (string | null)[] {
  if (!search) return [null, null, null];
  const words = search.match(/[\p{L}\p{N}]+/gu) ?? [];
  const email = normalEmail(search)
    .toLowerCase()
    .replaceAll(/[\\%_]/g, String.raw`\$&`);
  return [words.map((word) => `${word}:*`).join(' & '), search, `${email}%`];
}

function toListed(row: Row): ListedTenant {
  return {
    id: row.id,
    name: row.name,
    plan: row.plan,
    status: row.suspended_at === null ? TenantStatus.ACTIVE : TenantStatus.SUSPENDED,
    owners: row.owners,
    providerId: row.provider_id,
    createdAt: new Date(row.created_at),
    suspendedAt: row.suspended_at === null ? null : new Date(row.suspended_at),
    suspendedBy: row.suspended_by,
    eraseAt: row.erase_at === null ? null : new Date(row.erase_at),
  };
}
