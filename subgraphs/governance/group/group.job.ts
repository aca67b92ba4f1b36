import type { Consumer } from '#platform/outbox/consumer.js';
import type { GroupChanged } from '#schema/events.js';

/** Knows the groups of fleet, and has all instances judged anew where a policy is for one that has changed. */
export const followGroups: Consumer = {
  topics: ['fleet.group.changed'],
  async handle({ em, event: { tenantId, payload }, now }) {
    const { groupId, name, filter, instanceIds, isRemoved } = payload as unknown as GroupChanged;
    let isMoved = isRemoved;
    if (isRemoved) {
      await em.execute('delete from governance.instance_group where tenant_id = ? and id = ?', [
        tenantId,
        groupId,
      ]);
    } else {
      const given = filter === null ? null : JSON.stringify(filter);
      const same = await em.execute<unknown[]>(
        `select 1 from governance.instance_group
         where tenant_id = ? and id = ? and filter is not distinct from ?::jsonb for update`,
        [tenantId, groupId, given],
      );
      isMoved = same.length === 0;
      await em.execute(
        `insert into governance.instance_group (tenant_id, id, name, filter) values (?, ?, ?, ?::jsonb)
         on conflict (tenant_id, id) do update set name = excluded.name, filter = excluded.filter`,
        [tenantId, groupId, name, given],
      );
    }
    if (!isRemoved && instanceIds !== null) {
      const ids = JSON.stringify(instanceIds);
      const [{ moved }] = (await em.execute<{ moved: number }[]>(
        `with gone as (delete from governance.instance_group_member where tenant_id = ? and group_id = ?
           and not instance_id = any (array(select jsonb_array_elements_text(?::jsonb))) returning 1),
         come as (insert into governance.instance_group_member (tenant_id, group_id, instance_id)
           select ?, ?, id from jsonb_array_elements_text(?::jsonb) as m (id) on conflict do nothing returning 1)
         select ((select count(*) from gone) + (select count(*) from come))::integer as moved`,
        [tenantId, groupId, ids, tenantId, groupId, ids],
      )) as [{ moved: number }];
      isMoved ||= moved > 0;
    }
    // Another name moves nobody in or out.
    if (!isMoved) return;
    await em.execute(
      `update governance.standing s set revision = s.revision + 1, pending_since = least(s.pending_since, ?)
       where s.tenant_id = ? and exists (select 1 from governance.policy p
         where p.tenant_id = s.tenant_id and p.applies_to->'group_ids' @> to_jsonb(?::text))`,
      [now, tenantId, groupId],
    );
  },
};
