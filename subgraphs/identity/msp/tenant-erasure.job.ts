import type { ErasureOptions } from '#platform/erasure/erasure.job.js';
import { newId } from '#platform/ids.js';
import type { Sweep, SweepStep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { AreaErased, RowsExported, TenantErased } from '#schema/events.js';

import { lockShares, tellRemainder } from './shares.service.js';
import { panelsOwn } from './tenant-erasure.entity.js';

const batch = 10;
export const keepExportMs = 30 * 24 * 60 * 60 * 1000;

interface Due {
  /** Whose the export will be. */
  tenantId: string;
  id: string;
  name: string;
}

/** Begins to erase the tenants whose 30 days are over: clients that were deleted, and closed ones that are nobody's. */
export const eraseTenantsSweep: Sweep = {
  name: 'tenant.erase',
  everyMs: 60_000,
  due: `select from (
      select erase_at from identity.msp_client where erase_at is not null
      union all select erase_at from identity.tenant where erase_at is not null and erasure_id is null
    ) due where erase_at <= ?`,
  async run(step) {
    const hasMoreClients = await eraseClients(step);
    return (await eraseClosed(step)) || hasMoreClients ? 'more' : 'done';
  },
};

/** Their shares return to their providers. Whether there may be more of them. */
async function eraseClients(step: SweepStep): Promise<boolean> {
  const { em, now, publish } = step;
  const found = await em.execute<Omit<Due, 'name'>[]>(
    `select tenant_id as "tenantId", id from identity.msp_client where erase_at <= ? order by erase_at limit ${batch}`,
    [now.toISOString()],
  );
  // In one order, and before the rows, as everybody else takes these locks. What was restored meanwhile stays.
  const providers = [...new Set(found.map(({ tenantId }) => tenantId))].toSorted();
  for (const provider of providers) await lockShares(em, provider);
  const due = await em.execute<Due[]>(
    `delete from identity.msp_client
     where erase_at <= ? and id in (select jsonb_array_elements_text(?::jsonb))
     returning tenant_id as "tenantId", id, name`,
    [now.toISOString(), JSON.stringify(found.map(({ id }) => id))],
  );
  const freed = new Set(due.map(({ tenantId }) => tenantId));
  for (const provider of providers) if (freed.has(provider)) await tellRemainder({ em, publish }, provider);
  for (const client of due) await begin(step, client);
  return found.length === batch;
}

/** One that has a client all the same stays until that one is gone; and one that somebody let in again by hand stays. */
async function eraseClosed(step: SweepStep): Promise<boolean> {
  const { em, now } = step;
  const due = await em.execute<Omit<Due, 'tenantId'>[]>(
    `select id, name from identity.tenant t
     where erase_at <= ? and erasure_id is null and suspended_at is not null
       and not exists (select from identity.msp_client c where c.tenant_id = t.id)
     order by erase_at limit ${batch} for update`,
    [now.toISOString()],
  );
  for (const tenant of due) {
    const erasureId = await begin(step, { ...tenant, tenantId: panelsOwn });
    await em.execute('update identity.tenant set erasure_id = ? where id = ?', [erasureId, tenant.id]);
  }
  return due.length === batch;
}

async function begin({ em, now, publish }: SweepStep, { tenantId, id, name }: Due): Promise<string> {
  const erasureId = newId('erasure');
  await em.execute(
    `insert into identity.tenant_erasure (tenant_id, id, client_id, client_name, started_at) values (?, ?, ?, ?, ?)`,
    [tenantId, erasureId, id, name, now.toISOString()],
  );
  publish({
    topic: 'identity.tenant.erased',
    tenantId,
    entityId: id,
    payload: { tenantId: id, erasureId } satisfies TenantErased,
  });
  return erasureId;
}

/** Erases identity's own part: the trail by its own doors, and the tenant itself as the last. */
export const identityErasure: ErasureOptions = {
  // Copies of what is exported anyway, and of clients that were erased: those end with what was promised of them.
  withoutExport: /^(organization|tenant)_export_part$/,
  doors: { audit_event: 'take_audit_event', audit_head: 'take_audit_head' },
  lock: async (em, tenantId) => {
    await em.execute('select 1 from identity.tenant where id = ? for update', [tenantId]);
  },
  also: async (em, tenantId) => {
    await em.execute('delete from identity.tenant where id = ?', [tenantId]);
  },
};

/** Puts the export and the report together from what the areas tell, until all of them have. */
export function collectErasures(areas: readonly string[]): Consumer {
  return {
    topics: ['erasure.rows.exported', 'erasure.area.completed'],
    async handle({ em, event, now }) {
      if (event.topic === 'erasure.rows.exported') {
        const { erasureId, area, table, part, rows } = event.payload as unknown as RowsExported;
        await em.execute(
          `insert into identity.tenant_export_part (tenant_id, erasure_id, area, source_table, part, rows)
           values (?, ?, ?, ?, ?, ?::jsonb) on conflict do nothing`,
          [event.tenantId, erasureId, area, table, part, JSON.stringify(rows)],
        );
        return;
      }
      const { erasureId, area, rows } = event.payload as unknown as AreaErased;
      await em.execute(
        `update identity.tenant_erasure set report = report || jsonb_build_object(?::text, ?::jsonb)
         where tenant_id = ? and id = ?`,
        [area, JSON.stringify(rows), event.tenantId, erasureId],
      );
      const completed = await em.execute<{ id: string }[]>(
        `update identity.tenant_erasure set completed_at = ?
         where tenant_id = ? and id = ? and completed_at is null
           and (select count(*) from jsonb_object_keys(report)) >= ? returning client_id as id`,
        [now.toISOString(), event.tenantId, erasureId, areas.length],
      );
      for (const { id } of completed) await em.execute('select platform.forget_parked_events(?)', [id]);
    },
  };
}

/** Exports are there to be fetched for 30 days; the report stays. */
export const exportRetentionSweep: Sweep = {
  name: 'tenant-export.expire',
  everyMs: 60 * 60 * 1000,
  async run({ em, now }) {
    const removed = await em.execute<unknown[]>(
      `delete from identity.tenant_export_part where ctid = any(array(
         select p.ctid from identity.tenant_export_part p
           join identity.tenant_erasure e on e.tenant_id = p.tenant_id and e.id = p.erasure_id
         where coalesce(e.completed_at, e.started_at) < ? limit 1000
       )) returning 1`,
      [new Date(now.getTime() - keepExportMs).toISOString()],
    );
    return removed.length === 1_000 ? 'more' : 'done';
  },
};
