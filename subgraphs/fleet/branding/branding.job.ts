import type { Consumer } from '#platform/outbox/consumer.js';
import type { BrandingChanged, TenantCreated } from '#schema/events.js';

import { markClient } from '../summary/client-health.job.js';

/**
 * Keeps how tenants present themselves, and whose client each of them is: alerts are mailed in that name, and providers
 * are told how their clients' fleets are.
 */
export const brandingConsumer: Consumer = {
  topics: ['identity.branding.changed', 'identity.tenant.created'],
  async handle({ em, event }) {
    if (event.topic === 'identity.tenant.created') {
      const { parentTenantId } = event.payload as unknown as TenantCreated;
      if (parentTenantId === undefined) return;
      await em.execute(
        `insert into fleet.branding (tenant_id, parent_tenant_id) values (?, ?)
         on conflict (tenant_id) do update set parent_tenant_id = excluded.parent_tenant_id`,
        [event.tenantId, parentTenantId],
      );
      await markClient(em, event.tenantId);
      return;
    }
    const { companyName, supportEmail } = event.payload as unknown as BrandingChanged;
    await em.execute(
      `insert into fleet.branding as b (tenant_id, version, company_name, support_email) values (?, ?, ?, ?)
       on conflict (tenant_id) do update set version = excluded.version, company_name = excluded.company_name,
         support_email = excluded.support_email
       where b.version < excluded.version`,
      [event.tenantId, event.entityVersion ?? 0, companyName, supportEmail],
    );
  },
};
