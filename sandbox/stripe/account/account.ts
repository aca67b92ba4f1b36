import { z } from 'zod';

import { expand } from '../http/form.js';
import { operation } from '../http/operation.js';

/** Whose the keys are; of an account its id and what it sells in are told, and no more. */
export const accountOperations = [
  operation('GET', '/v1/account', z.strictObject({ expand }), (world) => ({
    id: world.settings.account,
    object: 'account' as const,
    charges_enabled: true,
    country: 'US',
    default_currency: 'usd',
    details_submitted: true,
    payouts_enabled: true,
    type: 'standard' as const,
  })),
];
