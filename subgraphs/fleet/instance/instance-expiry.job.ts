import type { Sweep } from '#platform/membership/sweep.js';
import type { InstanceChanged } from '#schema/events.js';

import type { Suspension } from '../hearing/suspension.job.js';

const batch = 2_000;
// Instances are looked at a little before they may be due, so that those which beat are moved on in time and the rows
// that are due at any moment are only those of nodes that really have stopped.
const lookaheadMs = 5_000;

interface Looked {
  tenantId: string;
  id: string;
  status: 'HEALTHY' | 'DEGRADED';
  isDue: boolean;
  /** How many rows were looked through, those included that were left alone. */
  candidates: number;
}

// When an instance counts as offline: a deadline that passed while the panel could not hear is put off. The twin of
// offlineSince (hearing.rules.ts).
const deadline = `case when i.offline_at > h.lost_at and i.offline_at < h.counts_again_at then h.counts_again_at
  else i.offline_at end`;

// An instance whose beat is being stored is locked, and is looked at again in the next run. One that is due only within
// the time ahead is left where it is, once it waits for its own deadline: behind all those that are due.
const look = `select i.tenant_id as "tenantId", i.id, i.announced_status as status, ${deadline} <= ? as "isDue",
    e.candidates::int as candidates
  from (
    select tenant_id, instance_id, check_at, count(*) over () as candidates
    from (select * from fleet.instance_expiry where check_at <= ? order by check_at limit ${batch}) first
  ) e
  join fleet.instance i on i.tenant_id = e.tenant_id and i.id = e.instance_id
  left join fleet.hearing h on true
  where ${deadline} <= ? or ${deadline} > e.check_at
  order by i.tenant_id, i.id
  for no key update of i skip locked`;

const keys = `jsonb_to_recordset(?::jsonb) as k ("tenantId" text, id text)`;

const expire = `update fleet.instance i set announced_status = 'OFFLINE', status_changed_at = ${deadline},
    offline_at = ${deadline}
  from ${keys} left join fleet.hearing h on true where i.tenant_id = k."tenantId" and i.id = k.id`;

const putOff = `update fleet.instance i set offline_at = greatest(i.offline_at, ?)
  from ${keys} where i.tenant_id = k."tenantId" and i.id = k.id`;

const moveOn = `update fleet.instance_expiry e set check_at = ${deadline}
  from ${keys} join fleet.instance i on i.tenant_id = k."tenantId" and i.id = k.id left join fleet.hearing h on true
  where e.tenant_id = k."tenantId" and e.instance_id = k.id`;

/**
 * Tells of instances whose time has run out, without anyone asking: stores that they are offline and publishes it. An
 * instance is offline by its deadline already before (see statusOf); this is how others come to hear of it. Those of a
 * suspended tenant, whose beats the panel refuses, have another deadline to come back.
 */
export function expirySweep({ deadlineMs, isSuspended }: Suspension): Sweep {
  return {
    name: 'instance.expire',
    everyMs: 2_000,
    due: `select from fleet.instance_expiry where check_at <= ?::timestamptz + interval '${lookaheadMs} ms'`,
    async run({ em, now, publish }) {
      const ahead = new Date(now.getTime() + lookaheadMs);
      const looked = await em.execute<Looked[]>(look, [now, ahead, now]);
      const refused = looked.filter(({ tenantId }) => isSuspended(tenantId));
      const isOver = ({ tenantId, isDue }: Looked) => isDue && !isSuspended(tenantId);
      const due = looked.filter(isOver);
      const alive = looked.filter((instance) => !isOver(instance));
      const until = new Date(now.getTime() + deadlineMs);
      if (refused.length > 0) await em.execute(putOff, [until, JSON.stringify(refused)]);
      if (due.length > 0) await em.execute(expire, [JSON.stringify(due)]);
      if (alive.length > 0) await em.execute(moveOn, [JSON.stringify(alive)]);
      for (const { tenantId, id, status } of due) {
        publish({
          topic: 'fleet.instance.changed',
          tenantId,
          entityId: id,
          payload: { instanceId: id, from: status, to: 'OFFLINE' } satisfies InstanceChanged,
        });
      }
      // Each row looked at has left the candidates or moved back among them; with none there is nothing to gain at once.
      return looked[0]?.candidates === batch ? 'more' : 'done';
    },
  };
}
