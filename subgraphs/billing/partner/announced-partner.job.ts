import type { Consumer } from '#platform/outbox/consumer.js';

/**
 * Whose events those of the whole panel are: the panel's own, which is no tenant. Who subscribes as one of its
 * administrators follows these.
 */
export const panelTenant = 'panel';

/** Tells the panel's administrators of each partner that is another: an event is of one tenant, and the partner's is its own. */
export const announcePartners: Consumer = {
  topics: ['billing.partner.changed'],
  async handle({ event, publish }) {
    publish({
      topic: 'billing.partner.announced',
      tenantId: panelTenant,
      entityId: event.entityId,
      payload: event.payload,
    });
  },
};
