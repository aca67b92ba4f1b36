import type pg from 'pg';

import type { Connections } from './connections.js';
import { inOneMessage, type ReadValue } from './one-message.js';
import { areaRoles } from './roles.js';
import { shownTimes } from './shown-times.js';

export interface ReadOptions {
  /** How columns with a time come: as Dates, or as the text that `DateTime` shows, for what is only shown. */
  times?: 'dates' | 'text';
}

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
    { times = 'dates' }: ReadOptions = {},
  ): Promise<Row[]> {
    const settings = { role: this.role, 'app.tenant_id': tenantId };
    return inOneMessage(this.connections, settings, sql, values, times === 'text' ? shownTimes : undefined);
  }
}
