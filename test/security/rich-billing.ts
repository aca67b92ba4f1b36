import { newId } from '#platform/ids.js';

import { dataOf } from '../support/answers.js';
import { until } from '../support/world.js';
import type { RichScene } from './rich-scene.js';

/** What Stripe would have told of the tenant: the panel of the suites has no account with it. */
export async function billing({ panel, tenant, word }: RichScene): Promise<void> {
  await until(async () => {
    const rows = await panel.sql(
      `select 1 from billing.subscription s join billing.licence l on l.tenant_id = s.tenant_id
       join billing.usage_level u on u.tenant_id = s.tenant_id where s.tenant_id = $1`,
      [tenant.id],
    );
    return rows.length > 0;
  }, 'billing to know of the tenant and its node');
  const now = panel.clock.now();
  await panel.sql(`update billing.subscription set customer_id = $2, stripe_id = $3 where tenant_id = $1`, [
    tenant.id,
    `cus_${word}`,
    `sub_${word}`,
  ]);
  await panel.sql(
    `insert into billing.intent (tenant_id, id, kind, params, mutation, idempotency_key, fingerprint, status, created_at, finished_at)
     values ($1, $2, 'CANCEL', $3, $4, $5, 'none', 'DONE', $6, $6)`,
    [
      tenant.id,
      `itn_${word}`,
      { customerId: `cus_${word}` },
      { name: 'cancelSubscription' },
      `key-${word}`,
      now,
    ],
  );
  await panel.sql(
    `insert into billing.idempotency_key (tenant_id, key, fingerprint, response, expires_at)
     values ($1, $2, 'none', $3, $4)`,
    [tenant.id, `key-${word}`, { stripeId: `sub_${word}` }, new Date(now.getTime() + 3_600_000)],
  );
  await panel.sql(
    `insert into billing.webhook_event (tenant_id, event_id, type, object_id, created_at, received_at, applied_at)
     values ($1, $2, 'invoice.paid', $3, $4, $4, $4)`,
    [tenant.id, `evt_${word}`, `in_${word}`, now],
  );
  // As a panel with test clocks would leave it; this one has none.
  await panel.sql(
    `insert into billing.test_clock (tenant_id, target, failure, stripe_clock_id, stripe_time)
     values ($1, $2, $3, $4, $2)`,
    [tenant.id, now, `failure of ${word}`, `clock_${word}`],
  );
  // As if it had been another provider's client for a moment.
  await panel.sql(
    `insert into billing.provider_period (tenant_id, provider_id, from_at, to_at) values ($1, $2, $3, $3)`,
    [tenant.id, `ten_of_${word}`, now],
  );
  const invoice = {
    id: `in_${word}`,
    number: `${word}-0001`,
    date: now,
    periodStart: now,
    periodEnd: now,
    amountDue: 4900,
    currency: 'usd',
    status: 'PAID',
    pdfUrl: `https://invoices.example.com/${word}.pdf`,
  };
  // Far ahead, so that it is shown however far the suites move time.
  await panel.sql(`insert into billing.invoice_cache (tenant_id, fetched_at, invoices) values ($1, $2, $3)`, [
    tenant.id,
    new Date(now.getTime() + 30 * 24 * 3_600_000),
    JSON.stringify([invoice]),
  ]);
}

/** A partner that has had a client and earned by it. */
export async function partner({ panel, tenant, word }: RichScene): Promise<void> {
  const { registerPartner } = dataOf(
    await tenant.graphql<{ registerPartner: { id: string } }>(
      'mutation($input: RegisterPartnerInput!) { registerPartner(input: $input) { id } }',
      {
        input: {
          name: `${word} partner`,
          contactEmail: `${word}@partners.example`,
          website: `https://${word}.partners.example`,
        },
      },
    ),
  );
  const { id } = registerPartner;
  const now = panel.clock.now();
  await panel.sql(
    `insert into billing.partner_tier_change (tenant_id, id, partner_id, to_tier, instances, reason, changed_at)
     values ($1, $2, $3, 'tier_silver', 5, 'APPROVED', $4)`,
    [tenant.id, newId('partnerTierChange'), id, now],
  );
  await panel.sql(
    `insert into billing.partner_period (tenant_id, partner_id, from_at, to_at, commission_percent)
     values ($1, $2, $3, $3, 15)`,
    [tenant.id, id, now],
  );
  await panel.sql('insert into billing.paid_invoice (tenant_id, id, paid_at) values ($1, $2, $3)', [
    tenant.id,
    `in_${word}`,
    now,
  ]);
  await panel.sql(
    `insert into billing.returned_money (tenant_id, id, invoice_id, amount, returned_at) values ($1, $2, $3, 0, $4)`,
    [tenant.id, `ch_${word}`, `in_${word}`, now],
  );
  await panel.sql(
    `insert into billing.commission (tenant_id, id, partner_id, customer_id, invoice_id, tier, amount_paid,
       commission_percent, amount, currency, paid_at, recorded_at)
     values ($1, $2, $3, $1, $4, 'tier_silver', 4410, 15, 662, 'usd', $5, $5)`,
    [tenant.id, newId('commission'), id, `in_${word}`, now],
  );
}

/** As a grant or a webhook would. */
export async function tellSubscription({ panel, tenant }: RichScene): Promise<void> {
  await panel.sql(
    `insert into billing.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     values ('evt_' || gen_random_uuid(), $1, 'billing.subscription.changed', $1, 1, '{"plan": "ENTERPRISE", "status": "ACTIVE"}', 'test', now())`,
    [tenant.id],
  );
}

/** As another name or tier of it would. */
export async function tellPartner({ panel, tenant }: RichScene): Promise<void> {
  await panel.sql(
    `insert into billing.outbox (event_id, tenant_id, topic, entity_id, entity_version, payload, caused_by, occurred_at)
     select 'evt_' || gen_random_uuid(), tenant_id, 'billing.partner.changed', id, version,
       jsonb_build_object('partnerId', id, 'status', status, 'fromTier', tier, 'tier', tier), 'test', now()
     from billing.partner where tenant_id = $1`,
    [tenant.id],
  );
}
