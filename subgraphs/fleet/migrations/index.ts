import { migration, type AreaMigration } from '#platform/database/migrate.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import { outboxTableSql } from '#platform/outbox/outbox.sql.js';

import { metricsMigration } from './002-metrics.js';
import { entitlementMigration } from './003-entitlement.js';
import { alertsMigration } from './010-alerts.js';
import { alertSilencesMigration } from './011-alert-silences.js';
import { notificationsMigration } from './012-notifications.js';
import { heartbeatsMigration } from './013-heartbeats.js';
import { notificationAddressesMigration } from './020-notification-addresses.js';
import { commandsMigration } from './070-commands.js';
import { impersonationMigration } from './071-impersonation.js';
import { lifecycleMigration } from './072-lifecycle.js';
import { groupsMigration } from './073-groups.js';
import { commandPositionsMigration } from './074-command-positions.js';
import { historyReadsMigration } from './075-history-reads.js';
import { erasureMigration } from './080-erasure.js';
import { brandingMigration } from './081-branding.js';
import { metricsSketchesMigration } from './082-metrics-sketches.js';
import { timelinesMigration } from './083-timelines.js';
import { hearingMigration } from './084-hearing.js';
import { departuresMigration } from './085-departures.js';
import { windowTimeZonesMigration } from './086-window-time-zones.js';
import { reportsMigration } from './087-reports.js';
import { makersMigration } from './088-makers.js';
import { billingMigration } from './089-billing.js';
import { factsMigration } from './090-facts.js';
import { serverTokensMigration } from './091-server-tokens.js';
import { groupsAndMetricsMigration } from './092-groups-and-metrics.js';
import { countMarksMigration } from './093-count-marks.js';
import { tracesMigration } from './094-traces.js';
import { waitingInOrderMigration } from './095-waiting-in-order.js';
import { openDeliveriesMigration } from './096-open-deliveries.js';
import { toldInMigration } from './097-told-in.js';
import { nextInTurnMigration } from './098-next-in-turn.js';
import { regressedMigration } from './099-regressed.js';
import { hoursInOrderMigration } from './100-hours-in-order.js';
import { endedTokensMigration } from './101-ended-tokens.js';
import { governanceNewsMigration } from './102-governance-news.js';
import { resultsByStatusMigration } from './103-results-by-status.js';
import { acknowledgeCommentsMigration } from './104-acknowledge-comments.js';
import { plannedCommandsMigration, plannedDueMigration } from './105-planned-commands.js';
import { windowDaysMigration } from './107-window-days.js';
import { degradedToldMigration } from './108-degraded-told.js';
import { clientHealthMigration } from './109-client-health.js';
import { channelGrantsMigration } from './110-channel-grants.js';
import { copiesMigration } from './111-copies.js';
import { listeningMigration } from './112-listening.js';
import { earlierSecretsMigration } from './113-earlier-secrets.js';
import { narrowedMakersMigration } from './114-narrowed-makers.js';
import { endedAfterNarrowedMigration } from './115-ended-after-narrowed.js';
import { alertRuleOverridesMigration } from './116-alert-rule-overrides.js';

/** fleet's schema, step by step. Applied steps are never edited. */
export const fleetMigrations: readonly AreaMigration[] = [
  migration(
    '001_instances',
    `create table fleet.enrollment_token (
      tenant_id text not null,
      id text not null,
      name text not null,
      prefix text not null,
      token_hash text not null,
      tags text[] not null,
      max_uses integer check (max_uses > 0),
      uses integer not null default 0 check (max_uses is null or uses <= max_uses),
      created_by text not null,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      revoked_at timestamptz,
      last_used_at timestamptz,
      primary key (tenant_id, id)
    )`,
    `create unique index enrollment_token_hash on fleet.enrollment_token (token_hash)`,
    ...tenantTableSql('fleet', 'enrollment_token'),

    // Every beat updates its row: room is left on each page so that the new version stays there (a HOT update), which
    // also asks that no column a beat writes is indexed.
    `create table fleet.instance (
      tenant_id text not null,
      id text not null,
      name text not null,
      hostname text not null,
      version text not null,
      base_url text not null,
      redirect_uris text[] not null,
      public_key text,
      tags text[] not null,
      enrolled_at timestamptz not null,
      enrollment_token_id text not null,
      credential_generation integer not null default 1,
      last_seen_at timestamptz,
      offline_at timestamptz,
      condition text not null default 'HEALTHY' check (condition in ('HEALTHY', 'DEGRADED')),
      reasons jsonb not null default '[]',
      sequence bigint,
      clock_skew_seconds double precision,
      apps_count integer,
      cpu_percent double precision,
      memory_percent double precision,
      disk_percent double precision,
      cpu_cores integer,
      memory_gb double precision,
      storage_used_gb double precision,
      net_rx_bytes double precision,
      net_tx_bytes double precision,
      net_rx_bytes_per_second double precision,
      net_tx_bytes_per_second double precision,
      load_average double precision,
      uptime_seconds double precision,
      health jsonb not null default '[]',
      facts jsonb not null default '{}',
      primary key (tenant_id, id)
    ) with (fillfactor = 60)`,
    ...tenantTableSql('fleet', 'instance'),

    // What each beat measured. A beat or a replayed sample with the same timestamp is the same sample.
    `create table fleet.metrics_sample (
      tenant_id text not null,
      instance_id text not null,
      at timestamptz not null,
      cpu_percent double precision not null,
      memory_percent double precision not null,
      disk_percent double precision not null,
      net_rx_bytes double precision,
      net_tx_bytes double precision,
      load_average double precision,
      primary key (tenant_id, instance_id, at)
    ) partition by range (at)`,
    `create table fleet.metrics_sample_default partition of fleet.metrics_sample default`,
    ...tenantTableSql('fleet', 'metrics_sample'),

    `create function fleet.find_enrollment_token(hash text) returns table (tenant_id text, id text)
      language sql stable security definer set search_path = pg_catalog as
      $$ select t.tenant_id, t.id from fleet.enrollment_token t where t.token_hash = hash $$`,
    `revoke execute on function fleet.find_enrollment_token(text) from public`,
    `grant execute on function fleet.find_enrollment_token(text) to fleet_app, fleet_jobs`,
    ...outboxTableSql('fleet'),
  ),
  metricsMigration,
  entitlementMigration,
  commandsMigration,
  alertsMigration,
  impersonationMigration,
  alertSilencesMigration,
  notificationsMigration,
  lifecycleMigration,
  groupsMigration,
  heartbeatsMigration,
  commandPositionsMigration,
  notificationAddressesMigration,
  historyReadsMigration,
  erasureMigration,
  brandingMigration,
  metricsSketchesMigration,
  timelinesMigration,
  hearingMigration,
  departuresMigration,
  windowTimeZonesMigration,
  reportsMigration,
  makersMigration,
  billingMigration,
  factsMigration,
  serverTokensMigration,
  groupsAndMetricsMigration,
  countMarksMigration,
  tracesMigration,
  waitingInOrderMigration,
  openDeliveriesMigration,
  toldInMigration,
  nextInTurnMigration,
  regressedMigration,
  hoursInOrderMigration,
  endedTokensMigration,
  governanceNewsMigration,
  resultsByStatusMigration,
  acknowledgeCommentsMigration,
  plannedCommandsMigration,
  plannedDueMigration,
  windowDaysMigration,
  degradedToldMigration,
  clientHealthMigration,
  channelGrantsMigration,
  copiesMigration,
  listeningMigration,
  earlierSecretsMigration,
  narrowedMakersMigration,
  endedAfterNarrowedMigration,
  alertRuleOverridesMigration,
];
