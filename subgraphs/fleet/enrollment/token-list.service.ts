import { raw, type FilterQuery } from '@mikro-orm/core';

import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';

import { EnrollmentToken } from './enrollment-token.entity.js';
import type { EnrollmentTokensArgs } from './enrollment.inputs.js';

/** Newest last, ended ones included unless it is told otherwise. */
export async function listTokens(
  operation: Operation,
  args: EnrollmentTokensArgs,
): Promise<Page<EnrollmentToken>> {
  const window = pageWindow(args);
  const isOpen = args.filter?.isOpen;
  // A raw fragment is of one query.
  const which = (): FilterQuery<EnrollmentToken> => ({
    tenantId: operation.tenantId,
    ...(isOpen == null ? {} : { [raw(openSql, [operation.clock.now()])]: isOpen }),
  });
  const rows = await operation.em.find(
    EnrollmentToken,
    { $and: [which(), window.after === undefined ? {} : { id: { $gt: window.after } }] },
    { orderBy: { id: 'asc' }, limit: window.size + 1 },
  );
  return toPage(rows, window, () => operation.em.count(EnrollmentToken, which()));
}

/** Whether a node can come in by it, as it is asked when one does. */
const openSql = '(revoked_at is null and expires_at > ? and (max_uses is null or uses < max_uses))';
