import pg from 'pg';

import type { Connections } from './connections.js';
import { inOneMessage, type ReadValue } from './one-message.js';
import { preparedRead } from './prepared-read.js';
import type { Replicas } from './replicas.js';
import { areaRoles } from './roles.js';
import { SharedConnection } from './shared-connection.js';
import { shownTimes } from './shown-times.js';

export interface ReadOptions {
  /** How columns with a time come: as Dates, or as the text that `DateTime` shows, for what is only shown. */
  times?: 'dates' | 'text';
  /** Whether a replica may answer, seconds behind but never behind what the tenant was told of before. */
  mayLag?: boolean;
  /**
   * Whether it is over in a moment, whatever it finds: it may then share a connection with others that are, and is parsed
   * and planned once, as that is most of what it takes.
   */
  isShort?: boolean;
}

/** Reads of an area as one tenant in one round trip, for lists and other reads on the hot path. */
export class TenantReads {
  private readonly role: string;
  private readonly shared: SharedConnection;

  constructor(
    private readonly connections: Connections,
    area: string,
    private readonly replicas?: Replicas,
  ) {
    this.role = areaRoles(area).app;
    this.shared = new SharedConnection(connections);
  }

  async select<Row extends pg.QueryResultRow>(
    tenantId: string,
    sql: string,
    values: readonly ReadValue[],
    { times = 'dates', mayLag = false, isShort = false }: ReadOptions = {},
  ): Promise<Row[]> {
    const types = times === 'text' ? shownTimes : pg.types;
    if (mayLag && this.replicas) {
      const found = await this.replicas.select<Row>(tenantId, this.settings(tenantId), sql, values, types);
      if (found) return found;
    }
    if (isShort && this.connections.keepsStatements)
      return preparedRead(this.shared, { role: this.role, tenantId }, sql, values, types);
    return inOneMessage(
      isShort ? this.shared : this.connections,
      this.settings(tenantId),
      sql,
      values,
      types,
    );
  }

  private settings(tenantId: string): Readonly<Record<string, string>> {
    return { role: this.role, 'app.tenant_id': tenantId };
  }
}
