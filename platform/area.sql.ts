import { erasureTableSql } from './erasure/erasure.sql.js';
import { outboxTableSql } from './outbox/outbox.sql.js';
import { outboxTimelineSql } from './outbox/timeline.sql.js';

/**
 * What every area's schema begins with: its outbox with its rights in the platform, and the tenants that it is about to
 * erase. A projection of plans (`entitlementTableSql`) and idempotency keys (`idempotencyTableSql`) are for areas that
 * need them.
 */
export function areaTablesSql(area: string): string[] {
  return [...outboxTableSql(area), ...outboxTimelineSql(area), ...erasureTableSql(area)];
}
