import type { Router } from 'express';
import type Stripe from 'stripe';

import { Admission, admissionPermissions } from '#platform/admission/admission.js';
import { mandatoryPoliciesConsumer } from '#platform/admission/mandatory-policies.consumer.js';
import type { AreaContext, RunningArea } from '#platform/area.js';
import type { EntityClass } from '#platform/database/database.js';
import { Entitlements } from '#platform/entitlement/entitlements.js';
import { idempotencySweep } from '#platform/idempotency/expired-keys.job.js';
import { buildSubgraph, type Reference } from '#platform/subgraph/build.js';

import { AccountGuard } from './account/account.job.js';
import { isLiveKey } from './account/known-account.js';
import { ChangeResolver } from './change/change.resolver.js';
import { ChangeService } from './change/change.service.js';
import { CustomerService } from './change/customer.service.js';
import { finishIntentJob, intentRetentionSweep, openEndsSweep } from './change/finish-intent.job.js';
import { HostedPages } from './change/hosted-pages.service.js';
import { Intent } from './change/intent.entity.js';
import { Intents } from './change/intents.service.js';
import { MeansFinder } from './change/means.service.js';
import { PreviewService } from './change/preview.service.js';
import { Commission } from './commission/commission.entity.js';
import { earnCommission } from './commission/commission.job.js';
import { CommissionResolver } from './commission/commission.resolver.js';
import { CommissionService } from './commission/commission.service.js';
import { paidInvoicesJob } from './commission/paid-invoices.job.js';
import { takeBackCommission } from './commission/take-back.job.js';
import { dunningSweep, trialNoticeSweep } from './dunning/dunning.job.js';
import type { BillingEnv } from './env.js';
import { InvoiceResolver } from './invoice/invoice.resolver.js';
import { InvoiceService } from './invoice/invoice.service.js';
import { InstanceReference } from './licence/instance.reference.js';
import { LicenceKeys } from './licence/licence-keys.js';
import { createLicenceKeysRouter } from './licence/licence-keys.router.js';
import { Licence } from './licence/licence.entity.js';
import {
  licenceNodes,
  licenceRetentionSweep,
  reissueLicences,
  renewLicencesSweep,
} from './licence/licence.job.js';
import { InstanceLicenceResolver, LicenceResolver } from './licence/licence.resolver.js';
import { LicenceService } from './licence/licence.service.js';
import { PackageResolver } from './package/package.resolver.js';
import { paymentModeOf } from './package/payment-mode.js';
import { announcePartners } from './partner/announced-partner.job.js';
import { DiscountSetter } from './partner/discount-setter.service.js';
import { applyDiscountJob } from './partner/discount.job.js';
import { PartnerDecisions } from './partner/partner-decision.service.js';
import { Partner } from './partner/partner.entity.js';
import { countPartnerCustomers, spreadPartnerTiers } from './partner/partner.job.js';
import { PartnerResolver } from './partner/partner.resolver.js';
import { PartnerService } from './partner/partner.service.js';
import { PartnerTierChange } from './partner/tier-change.entity.js';
import { billingPermissions } from './permissions.js';
import { Coupons } from './stripe/coupons.js';
import { Prices } from './stripe/prices.js';
import { createStripe, stripeSource } from './stripe/stripe-client.js';
import { endClosedJob, followClosings } from './subscription/closed-tenant.job.js';
import { forgetCustomerJob, forgetCustomers } from './subscription/erased-tenant.job.js';
import { Looks } from './subscription/looks.job.js';
import { followNames, renameCustomerJob } from './subscription/renamed-tenant.job.js';
import { BillingSubscription } from './subscription/subscription.entity.js';
import { SubscriptionResolver } from './subscription/subscription.resolver.js';
import { ownSubscription } from './subscription/subscription.store.service.js';
import { endSurplusJob } from './subscription/surplus.job.js';
import { collectSuspendedJob, followSuspensions } from './subscription/suspended-tenant.job.js';
import { lookQueue, lostLooksSweep, reconcileSweep, syncJob } from './subscription/sync.job.js';
import { endGrants, followEntitlements, knowTenants } from './subscription/tenant.job.js';
import { TenantReference } from './tenant/tenant.reference.js';
import { TenantReferenceResolver } from './tenant/tenant.resolver.js';
import { Advancing } from './test-clock/advance.service.js';
import { StripeClocks } from './test-clock/stripe-clock.service.js';
import { TenantTime } from './test-clock/tenant-time.service.js';
import { TestClock } from './test-clock/test-clock.entity.js';
import { advanceJob, catchUpSweep, renewAdvanced } from './test-clock/test-clock.job.js';
import { TestClockResolver } from './test-clock/test-clock.resolver.js';
import { TestClockService } from './test-clock/test-clock.service.js';
import { meterUsage, usageRetentionSweep } from './usage/usage.job.js';
import type { Usage } from './usage/usage.js';
import { usageOf, UsageResolver } from './usage/usage.resolver.js';
import { ledgerRetentionSweep, WebhookLedger } from './webhook/ledger.job.js';
import { createWebhookRouter } from './webhook/webhook.router.js';

export const billingEntities: readonly EntityClass[] = [
  BillingSubscription,
  Intent,
  Licence,
  Partner,
  PartnerTierChange,
  Commission,
  TestClock,
];

/** The billing subgraph, wired by hand. */
export function createBilling(context: AreaContext<BillingEnv>): RunningArea {
  const { database, clock, logger, publicUrl, settings } = context;
  const { STRIPE_SECRET_KEY: key, STRIPE_API_BASE: apiBase } = settings;
  const client = key === undefined ? undefined : createStripe(key, apiBase);
  const account =
    client && key !== undefined
      ? new AccountGuard(database, client, isLiveKey(key), clock, logger)
      : undefined;
  const stripe = stripeSource(client, () => account?.require());
  if (key === undefined)
    logger.info('STRIPE_SECRET_KEY is not set: nothing can be bought, plans are granted by operators only');
  else if (settings.STRIPE_WEBHOOK_SECRET === undefined)
    logger.warn('STRIPE_WEBHOOK_SECRET is not set: what happens at Stripe is seen once an hour only');
  const entitlements = new Entitlements('billing');
  const prices = new Prices(stripe, clock);
  const paymentMode = paymentModeOf(settings);
  const times = new TenantTime(settings.TEST_CLOCKS);
  const looks = new Looks(database, stripe, times, clock, settings.CHARGE_SUSPENDED);
  const looking = lookQueue(looks, database, logger);
  const ledger = new WebhookLedger(database, clock, looking);
  const stripeClocks = new StripeClocks(stripe, times);
  const intents = new Intents(stripe, times);
  const coupons = new Coupons(stripe);
  const discounts = new DiscountSetter(stripe, coupons, logger);
  const advancing = new Advancing(stripe, stripeClocks, discounts);
  const means = new MeansFinder(stripe, prices, coupons);
  const partners = new PartnerService();
  const licenceKeys = new LicenceKeys(context.keyring, publicUrl);
  const licences = new LicenceService(licenceKeys, entitlements, times);
  const customers = new CustomerService(stripe, stripeClocks);
  const admission = new Admission(context.asService(admissionPermissions));
  const pages = new HostedPages({ stripe, prices, customers, means, admission, publicUrl });
  return {
    build: () =>
      buildSubgraph({
        name: 'billing',
        database,
        clock,
        verifier: context.verifier,
        permissions: billingPermissions,
        streams: context.streams,
        resolvers: [
          new PackageResolver(paymentMode),
          new SubscriptionResolver(entitlements, paymentMode),
          new ChangeResolver(
            new ChangeService(means, intents, admission),
            new PreviewService({ stripe, prices, means, times, admission }),
            pages,
          ),
          new UsageResolver(entitlements),
          new InvoiceResolver(new InvoiceService(stripe, logger)),
          new LicenceResolver(licences),
          new InstanceLicenceResolver(licences),
          new PartnerResolver(partners, new PartnerDecisions()),
          new CommissionResolver(new CommissionService(partners)),
          new TenantReferenceResolver(entitlements),
          new TestClockResolver(new TestClockService(times, advancing, logger)),
        ],
        orphanedTypes: [TenantReference, InstanceReference],
        references: {
          Instance: {
            permission: null,
            resolve: async ({ id }: { id: string }, { operation }) =>
              (await licences.ofInstance(operation, id)) ? { id } : null,
          },
          BillingSubscription: {
            permission: 'billing.subscription.read',
            resolve: ({ tenantId }: { tenantId: string }, { operation }) =>
              tenantId === operation.tenantId ? ownSubscription(operation) : null,
          },
          NodeUsage: { permission: 'billing.usage.read', resolve: ownUsage(entitlements, 'nodes') },
          UserUsage: { permission: 'billing.usage.read', resolve: ownUsage(entitlements, 'users') },
          StorageUsage: { permission: 'billing.usage.read', resolve: ownUsage(entitlements, 'storage') },
          Tenant: {
            permission: null,
            resolve: ({ id }: { id: string }, { operation }) => (id === operation.tenantId ? { id } : null),
          },
        },
      }),
    consumers: [
      knowTenants,
      followNames,
      followClosings,
      followSuspensions,
      forgetCustomers,
      followEntitlements,
      endGrants(times),
      reissueLicences(times),
      licenceNodes(times),
      meterUsage,
      countPartnerCustomers,
      spreadPartnerTiers,
      announcePartners,
      earnCommission,
      takeBackCommission,
      mandatoryPoliciesConsumer('billing'),
      ...(times.hasTestClocks ? [renewAdvanced(times)] : []),
    ],
    sweeps: [
      reconcileSweep,
      lostLooksSweep,
      renewLicencesSweep(times),
      dunningSweep(times),
      trialNoticeSweep(times),
      ...(times.hasTestClocks ? [catchUpSweep] : []),
      ledgerRetentionSweep,
      intentRetentionSweep,
      openEndsSweep(),
      usageRetentionSweep,
      licenceRetentionSweep,
      idempotencySweep('billing'),
    ],
    jobs: [
      syncJob(looks, looking),
      endSurplusJob(stripe),
      finishIntentJob(intents),
      applyDiscountJob(discounts),
      paidInvoicesJob(stripe),
      endClosedJob(stripe),
      collectSuspendedJob(stripe, settings.CHARGE_SUSPENDED),
      forgetCustomerJob(stripe),
      renameCustomerJob(stripe),
      ...(times.hasTestClocks ? [advanceJob(advancing, () => clock.now(), database)] : []),
    ],
    routers: [createLicenceKeysRouter(licenceKeys)],
    webhooks: webhookRouters(context, client, ledger),
    start: async () => account?.start(),
    warnings: () => account?.warnings() ?? [],
    async stop() {
      account?.stop();
      await ledger.stop();
      await looking.stop();
    },
  };
}

/** A tenant's own limit. */
function ownUsage(entitlements: Entitlements, of: keyof Usage): Reference<{ tenantId: string }>['resolve'] {
  return async ({ tenantId }, { operation }) =>
    tenantId === operation.tenantId ? usageOf(operation, await entitlements.of(operation))[of] : null;
}

/** None without the secret that Stripe signs by. */
function webhookRouters(
  { clock, logger, metrics, settings }: AreaContext<BillingEnv>,
  stripe: Stripe | undefined,
  ledger: WebhookLedger,
): Router[] {
  const { STRIPE_WEBHOOK_SECRET: secret } = settings;
  if (!stripe || secret === undefined) return [];
  return [createWebhookRouter({ stripe, ledger, secret, clock, logger, metrics })];
}
