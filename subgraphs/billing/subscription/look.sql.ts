import { isPartnerOfSql } from '../partner/partner-terms.service.js';
import { hadProviderSql } from '../partner/provider-period.service.js';

/**
 * Begins looks at the subscriptions of several tenants, of which those without a customer are left out: takes a ticket for
 * each, right before Stripe is asked, and notes when it was asked for last. Locks in one order, as all do who lock several.
 */
export const beginLooksSql = `
  with wanted as materialized (
    select s.tenant_id from billing.subscription s
    where s.tenant_id in (select jsonb_array_elements_text(?::jsonb)) and s.customer_id is not null
    order by 1 for no key update)
  update billing.subscription s set ticket = s.ticket + 1 from wanted w where s.tenant_id = w.tenant_id
  returning s.tenant_id as "tenantId", s.customer_id as "customerId", s.ticket,
    clock_timestamp()::text as at,
    (select r.asked from billing.sync_request r where r.tenant_id = s.tenant_id) as asked`;

/** The looks in `?`, which is JSON. */
const looked = `looked as materialized (
    select * from jsonb_to_recordset(?::jsonb)
      as l ("tenantId" text, ticket bigint, seen text, at timestamptz, asked bigint))`;

/**
 * Marks what was told before each look of `ended` as applied and ends the requests for it. One that was asked for meanwhile
 * stays for another look, also when it is another request, after a look that was faster. It is locked first: what comes
 * between reading and deleting it would be looked at by nobody.
 */
const ends = `
  applied as (
    update billing.webhook_event e set applied_at = ? from looked l, ended d
    where l."tenantId" = d.tenant_id and e.tenant_id = d.tenant_id and e.applied_at is null and e.taken_at < l.at),
  request as materialized (
    select r.tenant_id, r.asked <> l.asked as "isMore" from billing.sync_request r
    join ended d on d.tenant_id = r.tenant_id join looked l on l."tenantId" = r.tenant_id
    where l.asked is not null order by 1 for update of r),
  done as (
    delete from billing.sync_request r using request q where r.tenant_id = q.tenant_id and not q."isMore"),
  again as (
    update billing.sync_request r set wanted = 1, wanted_at = ?, looker = 'PROCESS' from request q
    where r.tenant_id = q.tenant_id and q."isMore")
  select d.tenant_id as "tenantId", coalesce(q."isMore", false) as again
  from ended d left join request q on q.tenant_id = d.tenant_id`;

/**
 * Ends the looks that saw what is applied already, and answers which. The ticket is kept all the same: an older look that
 * is slow saw something else. Not those of whom time makes something else of the same, not customers of partners, present
 * and former, whose invoices are looked at too, and not closed and suspended tenants, for whom more may be to do.
 */
export const endAlikeSql = `
  with ${looked},
  held as materialized (
    select s.tenant_id from billing.subscription s join looked l on l."tenantId" = s.tenant_id
    where s.seen is not distinct from l.seen and s.past_due_since is null and s.closed_at is null
      and s.suspended_at is null and not exists (select 1 from billing.partner p where ${isPartnerOfSql})
      and not ${hadProviderSql}
    order by 1 for no key update of s),
  ended as (
    update billing.subscription s
    set applied_ticket = greatest(s.applied_ticket, l.ticket), synced_at = ?, reconcile_at = ?
    from looked l, held h where s.tenant_id = h.tenant_id and l."tenantId" = h.tenant_id
    returning s.tenant_id),
  ${ends}`;

/** Ends looks that were applied, in their transaction. */
export const endLooksSql = `
  with ${looked},
  ended as (select l."tenantId" as tenant_id from looked l),
  ${ends}`;
