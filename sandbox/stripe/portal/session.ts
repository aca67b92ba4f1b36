import { z } from 'zod';

import { expand, text } from '../http/form.js';
import { existing, operation } from '../http/operation.js';
import { newId } from '../store/ids.js';
import type { PortalSession } from '../store/stored.js';

const flow = z.strictObject({
  subscription_cancel: z.strictObject({ subscription: text }).optional(),
  type: z.enum(['payment_method_update', 'subscription_cancel']),
});

export const portalOperations = [
  operation(
    'POST',
    '/v1/billing_portal/sessions',
    z.strictObject({
      customer: text,
      expand,
      flow_data: flow.optional(),
      locale: text.optional(),
      return_url: text.optional(),
    }),
    (world, wanted) => {
      const customer = existing(world, 'customer', wanted.customer, 'customer');
      const cancelled = wanted.flow_data?.subscription_cancel?.subscription;
      if (cancelled !== undefined)
        existing(world, 'subscription', cancelled, 'flow_data[subscription_cancel][subscription]');
      const id = newId('billing_portal.session');
      return world.store.put('billing_portal.session', {
        id,
        object: 'billing_portal.session',
        configuration: 'bpc_1Sandbox',
        created: world.nowFor(customer.id),
        customer: customer.id,
        customer_account: null,
        flow: wanted.flow_data
          ? ({
              after_completion: { hosted_confirmation: null, redirect: null, type: 'portal_homepage' },
              customer_update: null,
              subscription_cancel:
                cancelled === undefined ? null : { retention: null, subscription: cancelled },
              subscription_pause: null,
              subscription_update: null,
              subscription_update_confirm: null,
              type: wanted.flow_data.type,
            } satisfies PortalSession['flow'])
          : null,
        livemode: false,
        locale: (wanted.locale as PortalSession['locale']) ?? null,
        on_behalf_of: null,
        return_url: wanted.return_url ?? null,
        url: `${world.pageUrl()}/_sandbox/pages/portal/${id}`,
      });
    },
  ),
];
