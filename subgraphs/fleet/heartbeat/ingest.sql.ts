import { rowColumns } from './ingest.arrays.js';

/** What the next beat of each instance of a batch depends on. Takes tenants and ids as arrays, a value for each instance. */
export const readInstances = `select i.tenant_id as "tenantId", i.id, i.credential_generation as "generation", i.xmin::text as "writtenBy",
    i.last_seen_at as "lastSeenAt", i.offline_at as "offlineAt", i.announced_status as "status",
    i.status_changed_at as "statusChangedAt", i.reasons, i.streaks, i.sampled_at as "sampledAt",
    i.net_rx_bytes as "netRxBytes", i.net_tx_bytes as "netTxBytes",
    i.net_rx_bytes_per_second as "netRxBytesPerSecond", i.net_tx_bytes_per_second as "netTxBytesPerSecond",
    i.clock_skew_seconds as "clockSkewSeconds", i.clock_shift_seconds as "clockShiftSeconds",
    i.sequence::double precision as "sequence", i.other_sequence::double precision as "otherSequence",
    i.regressions, i.regressed_at as "regressedAt", i.version, i.facts_digest as "factsDigest", v.major, v.minor
  from unnest(?::text[], ?::text[]) as b (tenant_id, id)
  join fleet.instance i on i.tenant_id = b.tenant_id and i.id = b.id
  left join fleet.version_baseline v on v.tenant_id = i.tenant_id`;

/**
 * Stores a batch in one statement, which is one transaction and one round trip, and answers the instances stored. One
 * that someone else wrote since it was read (another process, the expiry sweep), or whose credential was rotated, is
 * left alone with all that belongs to it: it has to be read again. Takes the rows of instances as an array for each of
 * `rowColumns`; as JSON, those that were overtaken, samples and hours, in this order. What the batch has none of is left
 * out.
 */
export const storeBeats = (parts: {
  hasOvertaken: boolean;
  hasSamples: boolean;
  hasHours: boolean;
}) => `with updated as (
    ${updateInstances()} returning i.tenant_id, i.id, ${time('sample_at')} as sample_at, b.cpu_percent, b.memory_percent, b.disk_percent,
      b.net_rx_bytes, b.net_tx_bytes, b.load_average
  ), stored as (
    select tenant_id, id from updated${parts.hasOvertaken ? ` union all (${findOvertaken})` : ''}
  ), samples as (
    insert into fleet.metrics_sample (tenant_id, instance_id, at, cpu_percent, memory_percent, disk_percent,
      net_rx_bytes, net_tx_bytes, load_average)
    select * from updated where sample_at is not null${parts.hasSamples ? ` union all (${findSamples})` : ''}
    on conflict do nothing
  )${parts.hasHours ? `, hours as (${markHours})` : ''}
  select tenant_id as "tenantId", id from stored`;

/** Instances that only get samples, from beats that later ones had overtaken. */
const findOvertaken = `select i.tenant_id, i.id
  from jsonb_to_recordset(?::jsonb) as o (tenant_id text, id text, generation integer)
  join fleet.instance i on i.tenant_id = o.tenant_id and i.id = o.id and i.credential_generation = o.generation`;

/** Facts and a version that a beat leaves out stay as they are: a long value is stored apart and is not written again. */
const updateInstances = () => `update fleet.instance i set
    last_seen_at = ${time('last_seen_at')}, offline_at = ${time('offline_at')},
    announced_status = b.announced_status, status_changed_at = ${time('status_changed_at')},
    reasons = b.reasons, streaks = b.streaks, sampled_at = ${time('sampled_at')},
    sequence = b.sequence, other_sequence = b.other_sequence, regressions = b.regressions,
    regressed_at = ${time('regressed_at')}, clock_skew_seconds = b.clock_skew_seconds,
    clock_shift_seconds = b.clock_shift_seconds, version = coalesce(b.version, i.version),
    apps_count = b.apps_count, cpu_percent = b.cpu_percent, memory_percent = b.memory_percent,
    disk_percent = b.disk_percent, cpu_cores = b.cpu_cores, memory_gb = b.memory_gb,
    storage_used_gb = case when b.tells_storage then b.storage_used_gb else i.storage_used_gb end,
    net_rx_bytes = b.net_rx_bytes, net_tx_bytes = b.net_tx_bytes,
    net_rx_bytes_per_second = b.net_rx_bytes_per_second, net_tx_bytes_per_second = b.net_tx_bytes_per_second,
    load_average = b.load_average, uptime_seconds = b.uptime_seconds,
    health = b.health, facts = coalesce(b.facts, i.facts),
    facts_digest = b.facts_digest, facts_reported_at = coalesce(${time('facts_reported_at')}, i.facts_reported_at)
  from unnest(${Object.values(rowColumns).map(placeholder).join(', ')}) as b (${Object.keys(rowColumns).join(', ')})
  where i.tenant_id = b.tenant_id and i.id = b.id and i.credential_generation = b.generation
    and i.xmin = b.written_by`;

const time = (column: keyof typeof rowColumns) => `to_timestamp(b.${column} / 1000)`;
const placeholder = (type: string) => `?::${type}[]`;

/** Samples that no row of an instance carries. One with the same timestamp is the same sample, and the first one stays. */
const findSamples = `select s.* from jsonb_to_recordset(?::jsonb) as s (tenant_id text, instance_id text, at timestamptz,
    cpu_percent double precision, memory_percent double precision, disk_percent double precision,
    net_rx_bytes double precision, net_tx_bytes double precision, load_average double precision)
  join stored on stored.tenant_id = s.tenant_id and stored.id = s.instance_id`;

/** The row of an hour marked already is written again all the same: the lock makes the rollup wait for this sample. */
const markHours = `insert into fleet.metrics_dirty (tenant_id, instance_id, hour)
  select h.tenant_id, h.instance_id, h.hour
  from jsonb_to_recordset(?::jsonb) as h (tenant_id text, instance_id text, hour timestamptz)
  join stored on stored.tenant_id = h.tenant_id and stored.id = h.instance_id
  order by h.tenant_id, h.instance_id, h.hour
  on conflict (tenant_id, instance_id, hour) do update set marks = metrics_dirty.marks + 1`;
