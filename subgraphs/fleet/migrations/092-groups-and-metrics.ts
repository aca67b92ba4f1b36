import { migration, type AreaMigration } from '#platform/database/migrate.js';

const tell = (topic: string, id: string, payload: string, from: string) =>
  `insert into fleet.outbox (event_id, tenant_id, topic, entity_id, payload, caused_by, occurred_at)
   select 'evt_' || replace(gen_random_uuid()::text, '-', ''), ${id}.tenant_id, '${topic}', ${id}.id,
     jsonb_build_object(${payload}), 'migration:092', now()
   from ${from} ${id}`;

/**
 * Which measurements a tenant's policies are about, and how far its instances have been told of them. Groups are told, and
 * what of instances decides who is in them; so are those that were there before anybody listened.
 */
export const groupsAndMetricsMigration: AreaMigration = migration(
  '092_groups_and_metrics',
  `alter table fleet.mandatory_policies
    add column metrics jsonb not null default '[]',
    add column metrics_due_at timestamptz,
    add column metrics_after text not null default ''`,
  `create index mandatory_policies_metrics_due_at on fleet.mandatory_policies (metrics_due_at)
     where metrics_due_at is not null`,
  tell(
    'fleet.instance.updated',
    'i',
    `'instanceId', i.id, 'name', i.name, 'tags', to_jsonb(i.tags), 'hostname', i.hostname, 'status', i.announced_status`,
    'fleet.instance',
  ),
  tell(
    'fleet.group.changed',
    'g',
    `'groupId', g.id, 'name', g.name, 'filter', g.filter, 'isRemoved', false, 'instanceIds',
     case when g.kind = 'STATIC' then (select coalesce(jsonb_agg(m.instance_id), '[]')
       from fleet.instance_group_member m where m.tenant_id = g.tenant_id and m.group_id = g.id) end`,
    'fleet.instance_group',
  ),
);
