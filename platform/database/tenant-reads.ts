import type pg from 'pg';

import type { Connections } from './connections.js';
import { inOneMessage, type ReadValue } from './one-message.js';
import { areaRoles } from './roles.js';

/** Reads of an area as one tenant in one round trip, for lists and other reads on the hot path. */
export class TenantReads {
  private readonly role: string;

  constructor(
    private readonly connections: Connections,
    area: string,
  ) {
    this.role = areaRoles(area).app;
  }

  async select<Row extends pg.QueryResultRow>(
    tenantId: string,
    sql: string,
    values: readonly ReadValue[],
  ): Promise<Row[]> {
    return inOneMessage(this.connections, { role: this.role, 'app.tenant_id': tenantId }, sql, values);
  }
}
