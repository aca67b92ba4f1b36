/**
 * The outbox of one area. `xid` orders rows by transaction, and the relay reads only below the oldest transaction still
 * running in the database, so that a row that commits late is never skipped.
 */
export function outboxTableSql(area: string): string[] {
  return [
    `create table ${area}.outbox (
      xid xid8 not null default pg_current_xact_id(),
      id bigint generated always as identity,
      event_id text not null,
      tenant_id text not null,
      topic text not null,
      entity_id text not null,
      entity_version bigint,
      payload jsonb not null,
      caused_by text not null,
      occurred_at timestamptz not null,
      primary key (xid, id)
    )`,
    // For a subscriber of one tenant that resumes.
    `create index outbox_tenant on ${area}.outbox (tenant_id, xid, id)`,
    `create index outbox_occurred_at on ${area}.outbox (occurred_at)`,
    `alter table ${area}.outbox enable row level security`,
    `alter table ${area}.outbox force row level security`,
    `create policy app on ${area}.outbox to ${area}_app
      using (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
      with check (tenant_id = nullif(current_setting('app.tenant_id', true), ''))`,
    `create policy jobs on ${area}.outbox to ${area}_jobs using (true) with check (true)`,
    `create policy owner on ${area}.outbox to current_user using (true) with check (true)`,
    `grant select, insert on ${area}.outbox to ${area}_app`,
    `grant select, insert, delete on ${area}.outbox to ${area}_jobs`,
    // How far events were removed: who wants to resume from before that is told so.
    `create table ${area}.outbox_removed (
      is_only boolean primary key default true check (is_only),
      xid xid8 not null,
      id bigint not null
    )`,
    `grant select on ${area}.outbox_removed to ${area}_app`,
    `grant select, insert, update on ${area}.outbox_removed to ${area}_jobs`,
    `create function ${area}.outbox_wake() returns trigger language plpgsql as
      $$ begin perform pg_notify('outbox', '${area}'); return null; end $$`,
    `create trigger outbox_wake after insert on ${area}.outbox
      for each statement execute function ${area}.outbox_wake()`,
  ];
}

/** Beside each event the trace in which it was written: what is done about it goes on in that one. */
export function outboxTraceSql(area: string): string[] {
  return [`alter table ${area}.outbox add column traceparent text`];
}
