import { isStoppedSql } from '../instance/instance.status.js';
import { hasRegressedSql, isDuplicateSql } from '../lifecycle/duplicate.js';
import { joinOverride } from './override/override.sql.js';

/** The defaults as a table, for rules that a tenant has not set; takes them as its parameter. */
const defaults = `jsonb_to_recordset(?::jsonb) as d (kind text, "isEnabled" boolean, severity text,
  threshold double precision, "forSeconds" integer, "keepFiringForSeconds" integer)`;

/** What the tenant's rule says of `r`, or by default `d`. */
const ruleThreshold = `case when r.kind is null then d.threshold else r.threshold end`;
const ruleSettings = `coalesce(r.is_enabled, d."isEnabled") as "isEnabled", coalesce(r.severity, d.severity) as severity,
    ${ruleThreshold} as threshold, coalesce(r.for_seconds, d."forSeconds") as "forSeconds",
    coalesce(r.keep_firing_for_seconds, d."keepFiringForSeconds") as "keepFiringForSeconds"`;

/** What is in force: what the override `o` says, if any, and else the rule, whose settings `f` has. */
const isEnabled = `coalesce(o.is_enabled, f."isEnabled")`;
const severity = `coalesce(o.severity, f.severity)`;
const threshold = `coalesce(o.threshold, f.threshold)`;
const forSeconds = `coalesce(o.for_seconds, f."forSeconds")`;
const keepFiringForSeconds = `coalesce(o.keep_firing_for_seconds, f."keepFiringForSeconds")`;
const patience = `${forSeconds} as "forSeconds", ${keepFiringForSeconds} as "keepFiringForSeconds"`;

/** Of an instance that is no more an alert keeps what it was judged by last. */
const unlessRemoved = (inForce: string, last: string) =>
  `case when i.id is null then ${last} else ${inForce} end`;

/**
 * Conditions that hold and have no alert yet. The fact that tells of one must be newer than what the last alert of the
 * same fingerprint had taken into account: one that was resolved by hand comes back with the next beat (for an outage:
 * the next outage) that finds it, and not before. Instances are gone through once, for the lowest threshold of any tenant;
 * which override is in force is looked for once that is sifted by the rule and the lowest of the tenant's overrides of it.
 * Takes the lowest by default, the time, the defaults, and the time.
 */
export const findNew = (
  batch: number,
): string => `select f."tenantId", f."instanceId", f."instanceName", f.rule, f.component, f.value, f.detail, f.at, f."sampledAt",
    ${severity} as severity, ${threshold} as threshold, ${patience}, o.source as override
  from (
    select f.*, ${ruleSettings}
    from (
      select i.tenant_id as "tenantId", i.id as "instanceId", i.name as "instanceName", k.rule, '' as component, k.value,
        null as detail, i.last_seen_at as at, i.sampled_at as "sampledAt"
      from fleet.instance i
      cross join lateral (values
        ('CPU', i.cpu_percent), ('MEMORY', i.memory_percent), ('DISK', i.disk_percent)) k (rule, value)
      where i.announced_status <> 'OFFLINE' and k.value is not null
        and greatest(i.cpu_percent, i.memory_percent, i.disk_percent) >= (
          select least(?, min(threshold)) from (
            select kind, threshold from fleet.alert_rule union all select kind, threshold from fleet.alert_rule_override
          ) any_rule where kind in ('CPU', 'MEMORY', 'DISK'))
      union all
      select i.tenant_id, i.id, i.name, 'COMPONENT_UNHEALTHY', h.component, null, h.message, i.last_seen_at, i.sampled_at
      from fleet.instance i
      cross join lateral jsonb_to_recordset(i.health) h (component text, status text, message text)
      where i.announced_status = 'DEGRADED' and h.status = 'UNHEALTHY'
      union all
      select i.tenant_id, i.id, i.name, 'OFFLINE', '', null, null, i.offline_at, null
      from fleet.instance i
      where i.announced_status = 'OFFLINE' and i.last_seen_at is not null and not ${isStoppedSql}
      union all
      select i.tenant_id, i.id, i.name, 'DUPLICATE_IDENTITY', '', null, null, i.regressed_at, null
      from fleet.instance i
      where ${hasRegressedSql} and ${isDuplicateSql}
    ) f
    join ${defaults} on d.kind = f.rule
    left join fleet.alert_rule r on r.tenant_id = f."tenantId" and r.kind = f.rule
    left join (
      select tenant_id, kind, min(threshold) as threshold from fleet.alert_rule_override group by tenant_id, kind
    ) l on l.tenant_id = f."tenantId" and l.kind = f.rule
    where (coalesce(r.is_enabled, d."isEnabled") or l.kind is not null)
      and (f.value is null or f.value >= least(${ruleThreshold}, l.threshold))
      and not exists (
        select from fleet.alert a
        where a.tenant_id = f."tenantId" and a.instance_id = f."instanceId" and a.rule = f.rule
          and a.component = f.component
          and (a.status <> 'RESOLVED' or (a.observed_to >= f.at and a.resolution <> 'RULE_DISABLED'))
      )
    offset 0
  ) f
  ${joinOverride({ tenant: 'f."tenantId"', instance: 'f."instanceId"', rule: 'f.rule' })}
  where ${isEnabled} and (f.value is null or f.value >= ${threshold})
  limit ${batch}`;

/**
 * Open alerts about which there is something new: a beat, an outage that began or ended, or time that has run out.
 * `samples` are what was measured between the last beat that was taken into account and the newest one. One that
 * somebody is just acknowledging is left to the next run. Takes the defaults, and the time four times.
 */
export const findDue = (
  batch: number,
): string => `select a.tenant_id as "tenantId", a.id, a.instance_id as "instanceId",
    a.instance_name as "instanceName", a.rule, a.component, a.status, a.message, a.value, a.count, a.started_at as "startedAt", a.fired_at as "firedAt",
    a.last_seen_at as "lastSeenAt", a.clear_since as "clearSince", a.notified_at as "notifiedAt",
    a.notify_at as "notifyAt", a.observed_to as "observedTo", a.sampled_to as "sampledTo", a.updated_at as "updatedAt",
    ${isEnabled} as "isEnabled", ${patience}, ${unlessRemoved(severity, 'a.severity')} as severity,
    ${unlessRemoved(threshold, 'a.threshold')} as threshold, ${unlessRemoved('o.source', 'a.rule_override')} as override,
    i.id is not null as "isThere", i.announced_status = 'OFFLINE' as "isOffline", i.announced_status = 'OFFLINE' and not ${isStoppedSql} as "isSilent",
    i.status_changed_at as "statusChangedAt",
    i.last_seen_at as "beatAt", i.offline_at as "offlineAt", i.sampled_at as "sampledAt",
    i.regressed_at as "regressedAt", x."isDuplicate",
    case a.rule when 'CPU' then i.cpu_percent when 'MEMORY' then i.memory_percent when 'DISK' then i.disk_percent
      end as measured,
    case when a.rule = 'COMPONENT_UNHEALTHY' then (
      select jsonb_build_object('detail', h.message)
      from jsonb_to_recordset(i.health) h (component text, status text, message text)
      where h.component = a.component and h.status = 'UNHEALTHY' limit 1) end as unhealthy,
    case when a.rule <> 'OFFLINE' and i.last_seen_at > a.observed_to then (
      select jsonb_agg(jsonb_build_object('at', s.at, 'value',
        case a.rule when 'CPU' then s.cpu_percent when 'MEMORY' then s.memory_percent when 'DISK' then s.disk_percent end)
        order by s.at)
      from fleet.metrics_sample s
      where s.tenant_id = a.tenant_id and s.instance_id = a.instance_id
        and s.at > a.sampled_to and s.at < i.sampled_at) end as samples
  from fleet.alert a
  join ${defaults} on d.kind = a.rule
  left join fleet.alert_rule r on r.tenant_id = a.tenant_id and r.kind = a.rule
  cross join lateral (select ${ruleSettings}) f
  left join fleet.instance i on i.tenant_id = a.tenant_id and i.id = a.instance_id
  ${joinOverride({ tenant: 'a.tenant_id', instance: 'a.instance_id', rule: 'a.rule' })}
  cross join lateral (select ${isDuplicateSql} as "isDuplicate") x
  where a.status <> 'RESOLVED' and (
    i.id is null
    or not ${isEnabled}
    or a.clear_since + make_interval(secs => ${keepFiringForSeconds}) <= ?
    or (a.rule in ('OFFLINE', 'DUPLICATE_IDENTITY') and a.status = 'PENDING'
      and a.started_at + make_interval(secs => ${forSeconds}) <= ?)
    or case a.rule when 'OFFLINE' then
        (i.announced_status = 'OFFLINE' and not ${isStoppedSql}) <> (a.clear_since is null)
      when 'DUPLICATE_IDENTITY' then
        i.regressed_at > a.observed_to or x."isDuplicate" <> (a.clear_since is null)
      when 'COMMAND_FAILED' then false
      when 'POLICY_VIOLATION' then false
      else
        i.last_seen_at > a.observed_to or (a.status = 'PENDING' and i.announced_status = 'OFFLINE')
      end
  )
  limit ${batch}
  for no key update of a skip locked`;

const columns = `tenant_id text, id text, instance_id text, instance_name text, rule text, component text, severity text,
  status text, message text, value double precision, threshold double precision, count integer, started_at timestamptz,
  fired_at timestamptz, last_seen_at timestamptz, clear_since timestamptz, updated_at timestamptz,
  resolved_at timestamptz, resolution text, notify_at timestamptz, observed_to timestamptz, sampled_to timestamptz, rule_override jsonb`;
const names = columns.replaceAll(/ (text|integer|double precision|timestamptz|jsonb)/g, '');

export const insertAlerts = `insert into fleet.alert (${names})
  select ${names} from jsonb_to_recordset(?::jsonb) as n (${columns})
  on conflict do nothing returning id`;

/** One whose severity is another now may be for other channels. */
export const updateAlerts = `update fleet.alert a set
    severity = n.severity, status = n.status, message = n.message, value = n.value, threshold = n.threshold,
    count = n.count, started_at = n.started_at, fired_at = n.fired_at, last_seen_at = n.last_seen_at,
    clear_since = n.clear_since, updated_at = n.updated_at, resolved_at = n.resolved_at, resolution = n.resolution,
    notify_at = case when n.status = 'FIRING' and n.severity <> a.severity then n.updated_at else n.notify_at end,
    observed_to = n.observed_to, sampled_to = n.sampled_to, rule_override = n.rule_override
  from jsonb_to_recordset(?::jsonb) as n (${columns})
  where a.tenant_id = n.tenant_id and a.id = n.id`;

export const deleteAlerts = `delete from fleet.alert a using jsonb_to_recordset(?::jsonb) as n (tenant_id text, id text)
  where a.tenant_id = n.tenant_id and a.id = n.id`;
