import type { SqlEntityManager } from '#platform/database/database.js';
import { freePlan } from '#platform/entitlement/free-plan.js';
import { newId } from '#platform/ids.js';
import type { Sweep } from '#platform/membership/sweep.js';
import type { Consumer } from '#platform/outbox/consumer.js';
import type { InstanceDecommissioned, InstanceEnrolled } from '#schema/events.js';

import type { TenantTime } from '../test-clock/tenant-time.service.js';
import { dayMs, endOf, renewBeforeMs } from './licence.rules.js';

const atOnce = 2_000;

/** Issues a licence to each node that enrolls, and frees it when the node leaves the fleet. */
export function licenceNodes(times: TenantTime): Consumer {
  return {
    topics: ['fleet.instance.enrolled', 'fleet.instance.decommissioned'],
    async handle({ em, event, now }) {
      const { tenantId } = event;
      const at = await times.at(em, tenantId, now);
      if (event.topic === 'fleet.instance.decommissioned') {
        const { instanceId } = event.payload as unknown as InstanceDecommissioned;
        await em.execute(
          `update billing.licence set freed_at = ? where tenant_id = ? and instance_id = ? and freed_at is null`,
          [at, tenantId, instanceId],
        );
        return;
      }
      const { instanceId } = event.payload as unknown as InstanceEnrolled;
      const { plan, features } = await inForce(em, tenantId);
      await em.execute(
        `insert into billing.licence (tenant_id, id, instance_id, plan, features, issued_at, expires_at)
         values (?, ?, ?, ?, array(select jsonb_array_elements_text(?::jsonb)), ?, ?)
         on conflict (tenant_id, instance_id) do update set plan = excluded.plan, features = excluded.features,
           issued_at = excluded.issued_at, expires_at = excluded.expires_at, freed_at = null`,
        [tenantId, newId('licence'), instanceId, plan, JSON.stringify(features), at, endOf(at)],
      );
    },
  };
}

/** Issues a tenant's licences anew when its plan is another. Comes after the projection of plans. */
export function reissueLicences(times: TenantTime): Consumer {
  return {
    topics: ['billing.entitlement.granted'],
    bearsLate: true,
    async handle({ em, event, now }) {
      const { tenantId } = event;
      const at = await times.at(em, tenantId, now);
      const { plan, features } = await inForce(em, tenantId);
      await em.execute(
        `update billing.licence set plan = ?, features = f.features, issued_at = ?, expires_at = ?
         from (select array(select jsonb_array_elements_text(?::jsonb)) as features) f
         where tenant_id = ? and freed_at is null and (plan <> ? or licence.features <> f.features)`,
        [plan, at, endOf(at), JSON.stringify(features), tenantId, plan],
      );
    },
  };
}

async function inForce(
  em: SqlEntityManager,
  tenantId: string,
): Promise<{ plan: string; features: readonly string[] }> {
  const [row] = await em.execute<{ plan: string; features: string[] }[]>(
    'select plan, features from billing.entitlement where tenant_id = ?',
    [tenantId],
  );
  return row ?? freePlan;
}

/** Issues licences anew before they end, but for tenants whose payment is overdue beyond its grace. */
export function renewLicencesSweep(times: TenantTime): Sweep {
  return {
    name: 'licence.renew',
    everyMs: 60_000,
    due: `select from billing.licence l ${times.joinSql('l')}
      where l.freed_at is null
        and l.expires_at <= ?::timestamptz + interval '${renewBeforeMs} ms' + ${times.aheadSql}`,
    async run({ em, now }) {
      const renewed = await renewLicences(em, times, now);
      return renewed === atOnce ? 'more' : 'done';
    },
  };
}

/** The oldest first, of all tenants or of one; answers how many. */
export async function renewLicences(
  em: SqlEntityManager,
  times: TenantTime,
  now: Date,
  tenantId?: string,
): Promise<number> {
  const { aheadSql } = times;
  const renewed = await em.execute<unknown[]>(
    `update billing.licence set issued_at = ?::timestamptz + due.ahead, expires_at = ?::timestamptz + due.ahead
     from (
       select l.tenant_id, l.id, ${aheadSql} as ahead from billing.licence l
       left join billing.entitlement e on e.tenant_id = l.tenant_id
       ${times.joinSql('l')}
       where l.freed_at is null and l.expires_at <= ?::timestamptz + ${aheadSql}
         and not coalesce(e.is_read_only, false) ${tenantId === undefined ? '' : 'and l.tenant_id = ?'}
       order by l.expires_at limit ?) due
     where licence.tenant_id = due.tenant_id and licence.id = due.id returning 1`,
    [
      now,
      endOf(now),
      new Date(now.getTime() + renewBeforeMs),
      ...(tenantId === undefined ? [] : [tenantId]),
      atOnce,
    ],
  );
  return renewed.length;
}

/** As long as fleet knows who has left it. */
const keptFreedMs = 365 * dayMs;

/** Forgets the licences of nodes that left long ago. */
export const licenceRetentionSweep: Sweep = {
  name: 'licence.forget',
  everyMs: 60 * 60 * 1000,
  async run({ em, now }) {
    const gone = await em.execute<unknown[]>(
      `delete from billing.licence where (tenant_id, id) in (
         select tenant_id, id from billing.licence where freed_at < ? order by freed_at limit ?) returning 1`,
      [new Date(now.getTime() - keptFreedMs), atOnce],
    );
    return gone.length === atOnce ? 'more' : 'done';
  },
};
