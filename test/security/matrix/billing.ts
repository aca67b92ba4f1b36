import { managers, may, payers, readers, type Matrix } from './access.js';

// oxfmt-ignore
export const billing: Matrix = {
  // What plans there are
  'Query.paymentMode':                  may('billing.package.read', readers),
  'Query.packages':                     may('billing.package.read', readers),
  'Query.subscription':                 may('billing.subscription.read', readers),
  'Query.usage':                        may('billing.usage.read', readers),
  'Query.usageHistory':                 may('billing.usage.read', readers),
  'Query.invoices':                     may('billing.invoice.read', payers),
  'Query.previewPlanChange':            may('billing.subscription.manage', payers),
  'Mutation.changeSubscription':        may('billing.subscription.manage', payers),
  'Mutation.cancelSubscription':        may('billing.subscription.manage', payers),
  'Mutation.resumeSubscription':        may('billing.subscription.manage', payers),
  'Mutation.createCheckoutSession':     may('billing.subscription.manage', payers),
  'Mutation.createPortalSession':       may('billing.subscription.manage', payers),
  'Subscription.subscriptionChanged':   may('billing.subscription.read', readers),
  'Query.licences':                     may('billing.licence.read', readers),
  'Query.licence':                      may('billing.licence.read', readers),
  'Query.validateLicence':              may('billing.licence.read', readers),
  'Query.partnerTiers':                 may('billing.partner.read', readers),
  // Only identity knows administrators in the database: of what they see here it believes the token.
  'Query.partners':                     may('billing.partner.read', readers, { acrossTenants: ['administrator'], asJobs: true }),
  'Query.partner':                      may('billing.partner.read', readers, { acrossTenants: ['administrator'] }),
  'Subscription.partnerChanged':        may('billing.partner.read', readers, { acrossTenants: ['administrator'] }),
  'Query.partnerTierChanges':           may('billing.partner.read', readers, { acrossTenants: ['administrator'] }),
  'Query.commissions':                  may('billing.commission.read', [...payers, 'administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.registerPartner':           may('billing.partner.manage', [...managers, 'service']),
  'Mutation.updatePartner':             may('billing.partner.manage', [...managers, 'service']),
  'Mutation.approvePartner':            may('billing.partner.decide', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.rejectPartner':             may('billing.partner.decide', ['administrator'], { acrossTenants: ['administrator'] }),
  'Mutation.suspendPartner':            may('billing.partner.decide', ['administrator'], { acrossTenants: ['administrator'] }),
  'Query.ownLicence':                   may('billing.licence.receive', ['node']),
  'Query.testClock':                    may('billing.test-clock.read', readers),
  'Mutation.advanceTestClock':          may('billing.test-clock.advance', [...managers, 'service']),
};
