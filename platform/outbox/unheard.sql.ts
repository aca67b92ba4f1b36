import { migration, type AreaMigration } from '../database/migrate.js';

/**
 * What the versions before this step listened to. They move on by the function that they know, and cannot say it
 * themselves. Of areas that are not named here it is not known.
 */
// oxfmt-ignore
const before: Record<string, readonly string[]> = {
  identity: [
    'audit.mutation.recorded', 'audit.security.recorded', 'billing.entitlement.granted',
    'billing.notice.raised', 'billing.partner.changed', 'billing.plan.decided', 'billing.test-clock.advanced',
    'erasure.area.completed', 'erasure.rows.exported', 'export.area.completed', 'export.rows.copied',
    'fleet.health.counted', 'fleet.instance.decommissioned', 'fleet.instance.enrolled',
    'fleet.instance.updated', 'fleet.instances.counted', 'governance.overall-score.changed',
    'identity.delegation-request.changed', 'identity.delegation-request.repeated', 'identity.delegation.ended',
    'identity.delegation.granted', 'identity.delegation.used', 'identity.msp-client.changed',
    'identity.organization-export.asked', 'identity.tenant.erased', 'identity.tenant.restored',
    'identity.tenant.suspended',
  ],
  fleet: [
    'billing.entitlement.granted', 'billing.test-clock.advanced', 'governance.canary.progressed',
    'governance.gitops.changed', 'governance.gitops.removed', 'governance.policy.changed',
    'governance.violation.changed', 'identity.api-key.revoked', 'identity.branding.changed',
    'identity.delegation.ended', 'identity.member.changed', 'identity.organization-export.asked',
    'identity.tenant.created', 'identity.tenant.erased', 'identity.tenant.restored',
  ],
  billing: [
    'billing.entitlement.granted', 'billing.invoice.paid', 'billing.invoice.refunded',
    'billing.partner.changed', 'billing.test-clock.advanced', 'fleet.instance.decommissioned',
    'fleet.instance.enrolled', 'fleet.instances.counted', 'fleet.usage.measured', 'governance.policy.changed',
    'identity.organization-export.asked', 'identity.tenant.closed', 'identity.tenant.created',
    'identity.tenant.erased', 'identity.tenant.plan-grant-ended', 'identity.tenant.renamed',
    'identity.tenant.reopened', 'identity.usage.measured', 'identity.users.counted',
  ],
  governance: [
    'billing.entitlement.granted', 'billing.test-clock.advanced', 'fleet.command.progressed',
    'fleet.facts.changed', 'fleet.group.changed', 'fleet.instance.changed', 'fleet.instance.decommissioned',
    'fleet.instance.enrolled', 'fleet.instance.updated', 'fleet.metrics.measured',
    'hosting.cluster.facts-changed', 'identity.delegation.ended', 'identity.organization-export.asked',
    'identity.tenant.erased',
  ],
  hosting: [
    'billing.test-clock.advanced', 'fleet.instance.changed', 'fleet.instance.decommissioned',
    'fleet.instance.enrolled', 'governance.policy.changed', 'identity.organization-export.asked',
    'identity.tenant.erased',
  ],
};

const array = (topics: readonly string[]) => `array[${topics.map((topic) => `'${topic}'`).join(', ')}]`;
const quotedBefore = Object.entries(before).map(([area, topics]) => `when '${area}' then ${array(topics)}`);

/**
 * Whoever moves a consumer on passes over the topics that it does not know. So beside each position stands what is
 * listened to up to there, and of each topic that no longer is, or is wanted and never was, how far it was heard. Who
 * takes over and knows the topic reads from there on before it hears it with all others. Each takes effect once, in
 * whatever order versions take over.
 */
export const unheardTopicsMigration: AreaMigration = migration(
  '010_unheard_topics',
  `create function platform.listened_before(consumer text) returns text[]
    language sql immutable set search_path = pg_catalog as
    $$ select case consumer ${quotedBefore.join('\n        ')} end $$`,
  `alter table platform.consumer_position add column topics text[]`,
  `update platform.consumer_position set topics = platform.listened_before(consumer)`,
  `create table platform.unheard_topic (
      consumer text not null,
      source text not null,
      topic text not null,
      timeline bigint not null,
      xid xid8 not null,
      id bigint not null,
      primary key (consumer, source, topic)
    )`,
  // For who takes over: from now on nothing is removed before this consumer has had it, what it does not listen to is
  // unheard from here on, and what it listens to anew has been since it was heard last, or is from where the outbox begins.
  `create function platform.listen_to(consumer_name text, source_name text, wanted text[]) returns void
    language plpgsql security definer set search_path = pg_catalog as $$
    declare
      stands platform.consumer_position;
    begin
      insert into platform.consumer_position (consumer, source, timeline, xid, id, topics)
        values (consumer_name, source_name, 0, '0', 0, wanted) on conflict do nothing;
      select * into stands from platform.consumer_position p
        where p.consumer = consumer_name and p.source = source_name for update;
      insert into platform.unheard_topic as u
        select consumer_name, source_name, topic, stands.timeline, stands.xid, stands.id
          from unnest(stands.topics) topic where topic <> all (wanted)
        on conflict (consumer, source, topic) do update
          set timeline = excluded.timeline, xid = excluded.xid, id = excluded.id;
      insert into platform.unheard_topic
        select consumer_name, source_name, topic, 0, '0', 0
          from unnest(wanted) topic where topic <> all (stands.topics)
        on conflict do nothing;
      -- Of a version of which it is not known, it was the same.
      update platform.consumer_position p set topics = case when stands.topics is null then wanted
          else array(select topic from unnest(stands.topics) topic where topic = any (wanted)) end
        where p.consumer = consumer_name and p.source = source_name;
    end $$`,
  `create function platform.advance_unheard(consumer_name text, source_name text, named text[],
      to_timeline bigint, to_xid text, to_id bigint) returns void
    language sql security definer set search_path = pg_catalog as $$
      update platform.unheard_topic u set timeline = to_timeline, xid = to_xid::xid8, id = to_id
      where u.consumer = consumer_name and u.source = source_name and u.topic = any (named)
        and (u.timeline, u.xid, u.id) < (to_timeline, to_xid::xid8, to_id) $$`,
  // They were heard up to where the consumer stands.
  `create function platform.caught_up(consumer_name text, source_name text, named text[]) returns void
    language sql security definer set search_path = pg_catalog as $$
      delete from platform.unheard_topic u
        where u.consumer = consumer_name and u.source = source_name and u.topic = any (named);
      update platform.consumer_position p
        set topics = array(select topic from unnest(p.topics) topic union select unnest(named) order by 1)
        where p.consumer = consumer_name and p.source = source_name $$`,
  `create function platform.advance_consumer(consumer_name text, source_name text,
      to_timeline bigint, to_xid text, to_id bigint) returns void
    language sql security definer set search_path = pg_catalog as $$
      update platform.consumer_position p set timeline = to_timeline, xid = to_xid::xid8, id = to_id
      where p.consumer = consumer_name and p.source = source_name
        and (p.timeline, p.xid, p.id) < (to_timeline, to_xid::xid8, to_id) $$`,
  // What versions before move on by. They hear nothing again: what is new to them begins where they are.
  `create or replace function platform.move_consumer(consumer_name text, source_name text,
      to_timeline bigint, to_xid text, to_id bigint) returns void
    language plpgsql security definer set search_path = pg_catalog as $$
    declare
      known text[] := platform.listened_before(consumer_name);
    begin
      if known is not null and not exists (
        select from platform.consumer_position p where p.consumer = consumer_name and p.source = source_name
          and p.topics @> known and p.topics <@ known
      ) then
        perform platform.listen_to(consumer_name, source_name, known);
        perform platform.caught_up(consumer_name, source_name, known);
      end if;
      insert into platform.consumer_position as p (consumer, source, timeline, xid, id)
          values (consumer_name, source_name, to_timeline, to_xid::xid8, to_id)
        on conflict (consumer, source) do update
          set timeline = excluded.timeline, xid = excluded.xid, id = excluded.id
          where (p.timeline, p.xid, p.id) < (excluded.timeline, excluded.xid, excluded.id);
    end $$`,
  `revoke execute on function platform.listened_before(text), platform.listen_to(text, text, text[]),
    platform.advance_unheard(text, text, text[], bigint, text, bigint), platform.caught_up(text, text, text[]),
    platform.advance_consumer(text, text, bigint, text, bigint) from public`,
);

/** Gives an area its rights to it. Follows `outboxTimelineSql`. */
export function outboxListeningSql(area: string): string[] {
  return [
    `grant select on platform.unheard_topic to ${area}_jobs`,
    `grant execute on function platform.listen_to(text, text, text[]),
      platform.advance_unheard(text, text, text[], bigint, text, bigint), platform.caught_up(text, text, text[]),
      platform.advance_consumer(text, text, bigint, text, bigint) to ${area}_jobs`,
  ];
}
