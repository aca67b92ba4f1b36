import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { AreaCopied, RowsCopied } from '#schema/events.js';

/** Puts exports together from what the areas tell, until all of them have. Of one that is gone nothing is kept. */
export function collectCopies(areas: readonly string[]): Consumer {
  return {
    topics: ['export.rows.copied', 'export.area.completed'],
    async handle({ em, event, now }) {
      const { tenantId } = event;
      if (event.topic === 'export.rows.copied') {
        const { exportId, area, table, part, rows } = event.payload as unknown as RowsCopied;
        await em.execute(
          `insert into identity.organization_export_part (tenant_id, export_id, area, source_table, part, rows)
           select tenant_id, id, ?, ?, ?, ?::jsonb from identity.organization_export where tenant_id = ? and id = ?
           on conflict do nothing`,
          [area, table, part, JSON.stringify(rows), tenantId, exportId],
        );
        return;
      }
      const { exportId, area, rows, isCut } = event.payload as unknown as AreaCopied;
      await em.execute(
        `update identity.organization_export
         set report = report || jsonb_build_object(?::text, ?::jsonb), is_cut = is_cut or ?
         where tenant_id = ? and id = ?`,
        [area, JSON.stringify(rows), isCut, tenantId, exportId],
      );
      await em.execute(
        `update identity.organization_export set completed_at = ?
         where tenant_id = ? and id = ? and completed_at is null
           and (select count(*) from jsonb_object_keys(report)) >= ?`,
        [now.toISOString(), tenantId, exportId, areas.length],
      );
    },
  };
}

const batch = 1_000;

/** Forgets exports whose time is over, their parts first. */
export const forgetExportsSweep: Sweep = {
  name: 'organization-export.expire',
  everyMs: 60 * 60 * 1000,
  async run({ em, now }) {
    const removed = await em.execute<unknown[]>(
      `delete from identity.organization_export_part where ctid = any(array(
         select p.ctid from identity.organization_export_part p
           join identity.organization_export e on e.tenant_id = p.tenant_id and e.id = p.export_id
         where e.expires_at <= ? limit ${batch}
       )) returning 1`,
      [now.toISOString()],
    );
    if (removed.length === batch) return 'more';
    await em.execute('delete from identity.organization_export where expires_at <= ?', [now.toISOString()]);
    return 'done';
  },
};
